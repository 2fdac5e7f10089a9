import type { Session } from '@vitrina/client';
import type { Push } from '@vitrina/client/push';
import {
  addPushTokenListener,
  getDevicePushTokenAsync,
  requestPermissionsAsync,
  setNotificationHandler,
  useLastNotificationResponse,
  type DevicePushToken,
  type Notification,
} from 'expo-notifications';
import { useEffect } from 'react';

import { expo } from '../app.json';

/** Registers this phone at each start and login, and for each new token. */
export function useRegistration(push: Push, session: Session, isLoggedIn: boolean): void {
  useEffect(() => {
    if (!isLoggedIn) return;
    const register = (token: DevicePushToken) => registerToken(push, token);
    const later = addPushTokenListener((token) => void register(token).catch(console.warn));
    void askForToken(session)
      .then((token) => token && register(token))
      .catch(console.warn); // registered at the next start
    return () => later.remove();
  }, [push, session, isLoggedIn]);
  useEffect(() => showWhatIsNew(push), [push]);
}

async function askForToken(session: Session): Promise<DevicePushToken | null> {
  if (!(await session.account())) return null;
  const { granted } = await requestPermissionsAsync();
  return granted ? getDevicePushTokenAsync() : null;
}

async function registerToken(push: Push, { type, data: token }: DevicePushToken): Promise<void> {
  // A build from Xcode has a token of Apple's sandbox.
  const apns = __DEV__ ? 'apns_sandbox' : 'apns';
  const platform = type === 'ios' ? apns : 'fcm';
  await push.register({ platform, token: String(token), app_version: expo.version });
}

/** While the app is open, a push is not shown if the socket has brought its event. */
function showWhatIsNew(push: Push): void {
  setNotificationHandler({
    async handleNotification(notification) {
      const { trigger } = notification.request;
      const isPush = trigger !== null && 'type' in trigger && trigger.type === 'push';
      const isNew = !isPush || (await push.received(dataOf(notification))) === 'new';
      return {
        shouldShowBanner: isNew,
        shouldShowList: isNew,
        shouldPlaySound: false,
        shouldSetBadge: false,
      };
    },
  });
}

/** The title of the latest tapped push; its event is not shown again. */
export function useTapped(push: Push): string | null {
  const notification = useLastNotificationResponse()?.notification;
  useEffect(() => {
    if (notification) void push.received(dataOf(notification));
  }, [push, notification]);
  return notification?.request.content.title ?? null;
}

/** The values of a push; on iOS they are beside `aps`. */
function dataOf({ request: { content, trigger } }: Notification): unknown {
  return (trigger && 'payload' in trigger && trigger.payload) || content.data;
}
