/** The platform for React Native. */

import type { Hints, Platform, Socket, Store } from './types.js';

/** The members of React Native's `AppState` that are used. */
export interface AppStateLike {
  readonly currentState: string | null | undefined;
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void };
}

/** The members of `@react-native-community/netinfo` that are used. */
export interface NetInfoLike {
  addEventListener(
    listener: (network: { readonly type: string; readonly isConnected: boolean | null }) => void,
  ): () => void;
}

/** The functions of `expo-secure-store` that are used. */
export interface SecureStoreLike {
  getItemAsync(key: string): Promise<string | null>;
  setItemAsync(key: string, value: string): Promise<void>;
  deleteItemAsync(key: string): Promise<void>;
}

export interface ReactNativeOptions {
  AppState: AppStateLike;
  /** Without NetInfo, changes of the network are noticed by pings, or when the app returns to the foreground. */
  NetInfo?: NetInfoLike;
  /** For positions. Without a store, a restarted app begins at the latest events of its channels. */
  AsyncStorage?: Store;
  /**
   * True if native code has set OkHttp's `pingInterval` (`WebSocketModule.setCustomClientBuilder`).
   * OkHttp's ping frames keep the connection alive, and close a lost connection.
   */
  hasNativePings?: boolean;
}

type ReactNativeWebSocket = new (
  url: string,
  protocols: undefined,
  options: { headers: Record<string, string> },
) => Socket;

/* The platform for React Native. The app passes its modules, so nothing is bundled that the app does not use.
 *
 *     const platform = reactNative({ AppState, NetInfo, AsyncStorage });
 *
 * The token is sent in the header `Authorization`. The socket's own `ping()` is never called: on Android
 * it sends an empty binary frame, and no platform reports the answer.
 */
export function reactNative({
  AppState,
  NetInfo,
  AsyncStorage,
  hasNativePings = false,
}: ReactNativeOptions): Platform {
  return {
    openSocket(address, token) {
      const Native = WebSocket as unknown as ReactNativeWebSocket;
      return new Native(address, undefined, { headers: { Authorization: `Bearer ${token}` } });
    },
    fetch: (...request) => fetch(...request),
    ...(AsyncStorage && { store: AsyncStorage }),
    keepsAlive: hasNativePings,
    watch(hints) {
      const app = AppState.addEventListener('change', (state) => {
        tellState(hints, state);
      });
      const unsubscribe = NetInfo?.addEventListener(networkChanges(hints));
      if (AppState.currentState) tellState(hints, AppState.currentState);
      return () => {
        app.remove();
        unsubscribe?.();
      };
    },
  };
}

/** `inactive` means an incoming call, or the app switcher: the connection stays open. */
function tellState(hints: Hints, state: string): void {
  if (state === 'active') hints.foreground();
  if (state === 'background') hints.background();
}

/** The first report is the present state: only a missing network matters then. */
function networkChanges(hints: Hints): Parameters<NetInfoLike['addEventListener']>[0] {
  let before: string | null = null;
  return ({ type, isConnected }) => {
    const now = `${type} ${String(isConnected)}`;
    if (isConnected === false && now !== before) hints.offline();
    if (isConnected && before !== null && now !== before) hints.online();
    before = now;
  };
}

/** `expo-secure-store` as the store of a `Session`: it has other names for the three functions. */
export function secrets(SecureStore: SecureStoreLike): Store {
  return {
    getItem: (key) => SecureStore.getItemAsync(key),
    setItem: (key, value) => SecureStore.setItemAsync(key, value),
    removeItem: (key) => SecureStore.deleteItemAsync(key),
  };
}
