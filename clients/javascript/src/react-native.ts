/** React Native as a platform. */

import type { Hints, Platform, Socket, Store } from './types.js';

/** What of React Native's `AppState` is used. */
export interface AppStateLike {
  readonly currentState: string | null | undefined;
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void };
}

/** What of `@react-native-community/netinfo` is used. */
export interface NetInfoLike {
  addEventListener(
    listener: (network: { readonly type: string; readonly isConnected: boolean | null }) => void,
  ): () => void;
}

/** What of `expo-secure-store` is used. */
export interface SecureStoreLike {
  getItemAsync(key: string): Promise<string | null>;
  setItemAsync(key: string, value: string): Promise<void>;
  deleteItemAsync(key: string): Promise<void>;
}

export interface ReactNativeOptions {
  AppState: AppStateLike;
  /** Without it the network's changes are noticed by pings, or when the app comes back. */
  NetInfo?: NetInfoLike;
  /** For positions. Without it a restarted app begins where its channels stand then. */
  AsyncStorage?: Store;
  /**
   * True if native code has set OkHttp's `pingInterval` (`WebSocketModule.setCustomClientBuilder`).
   * Its ping frames keep the connection alive, and end one that is lost.
   */
  hasNativePings?: boolean;
}

type ReactNativeWebSocket = new (
  url: string,
  protocols: undefined,
  options: { headers: Record<string, string> },
) => Socket;

/**
 * React Native, with what it has injected, so that nothing is bundled that an app does not have.
 *
 *     const platform = reactNative({ AppState, NetInfo, AsyncStorage });
 *
 * The token goes with the header `Authorization`. The socket's own `ping()` is never called: on
 * Android it sends an empty binary frame, and nowhere does it tell of an answer.
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

/** `inactive` is a call coming in, or the app switcher: the connection lasts through it. */
function tellState(hints: Hints, state: string): void {
  if (state === 'active') hints.foreground();
  if (state === 'background') hints.background();
}

/** The first report says how things are: only a missing network is news then. */
function networkChanges(hints: Hints): Parameters<NetInfoLike['addEventListener']>[0] {
  let before: string | null = null;
  return ({ type, isConnected }) => {
    const now = `${type} ${String(isConnected)}`;
    if (isConnected === false && now !== before) hints.offline();
    if (isConnected && before !== null && now !== before) hints.online();
    before = now;
  };
}

/** `expo-secure-store` as the store of a `Session`; it has other names for the same three functions. */
export function secrets(SecureStore: SecureStoreLike): Store {
  return {
    getItem: (key) => SecureStore.getItemAsync(key),
    setItem: (key, value) => SecureStore.setItemAsync(key, value),
    removeItem: (key) => SecureStore.deleteItemAsync(key),
  };
}
