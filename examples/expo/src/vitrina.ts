import AsyncStorage from '@react-native-async-storage/async-storage';
import NetInfo from '@react-native-community/netinfo';
import { Session, VitrinaClient } from '@vitrina/client';
import { Push } from '@vitrina/client/push';
import { reactNative, secrets } from '@vitrina/client/react-native';
import * as SecureStore from 'expo-secure-store';
import { AppState } from 'react-native';

const url = process.env.EXPO_PUBLIC_VITRINA_URL ?? 'https://HOST';
const platform = reactNative({ AppState, NetInfo, AsyncStorage });

export const session = new Session({ url, secrets: secrets(SecureStore) });
export const client = new VitrinaClient({ url, as: 'user', tokens: session, platform });
export const push = new Push({ client, store: AsyncStorage });
