/** The types that apps use: options, statuses, and the interfaces of a platform and a client. */

import type { Account, ClientType, EventName, Events } from './events.js';

export type { Account, ClientType, EventName, Events };

/** How far a client has read a channel: its events up to `seq`, which are counted in `epoch`. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** The state of the connection, with a reason. */
export type Status =
  /** The app has to call `start()`; after `login_required` the user has to log in first. */
  | { readonly state: 'stopped'; readonly reason: StopReason }
  /** Connects again when the app returns to the foreground, or calls `start()`. */
  | { readonly state: 'paused'; readonly reason: PauseReason }
  /** A token is fetched, a handshake is under way, or `connected` is awaited. */
  | { readonly state: 'connecting' }
  /** Connected; missed events are arriving. */
  | { readonly state: 'catching_up' }
  | { readonly state: 'online' }
  /** Connects again automatically after a pause of at most `retryInMs` milliseconds. */
  | { readonly state: 'offline'; readonly reason: OfflineReason; readonly retryInMs: number };

export type StopReason =
  'not_started' | 'asked' | 'logged_out' | 'login_required' | 'account_disconnected';
export type PauseReason = 'background' | 'too_many_connections';
export type OfflineReason =
  /** The device reports that it has no network. */
  | 'no_network'
  /** The host cannot be reached, or refused the handshake; browsers do not report which. */
  | 'unreachable'
  /** A token could not be fetched, though the session has not ended. */
  | 'token_unavailable'
  /** An answer, `connected` or any sign of life did not arrive in time. */
  | 'timeout'
  /** The connection ended without a reason. */
  | 'lost'
  /** The server closed the connection with this reason. */
  | 'token_expired'
  | 'everyone_disconnected'
  | 'too_many_requests'
  | 'too_slow';

export type Unsubscribe = () => void;

/**
 * An access token for requests and handshakes, from wherever an app keeps its session.
 *
 * `get` resolves to `null` when only a new login helps, and rejects when there is no token *now*, for
 * example without a network. `fresh` is true when the last token was refused or is about to expire.
 */
export interface Tokens {
  get(options: { readonly fresh: boolean; readonly signal: AbortSignal }): Promise<string | null>;
  /** Ends the session on the server and deletes it here. Without this, `client.logout()` only stops. */
  logout?(): Promise<void>;
}

/** A store of texts: `localStorage`, `AsyncStorage`, a keychain. It may be async, and may fail. */
export interface Store {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

/** The members of a WebSocket that the client uses. */
export interface Socket {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  /** Called with `{ data }`. */
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

/** Changes of the device that a platform reports. Hints never restart work that is under way. */
export interface Hints {
  foreground(): void;
  background(): void;
  /** The network is available, or has changed. */
  online(): void;
  offline(): void;
}

/** What the client needs of the platform it runs on; `browser()`, `reactNative()` and `node()` make one. */
export interface Platform {
  /**
   * Opens a socket. The platform sends the token in a header, as a subprotocol, or in the query of
   * `address`, which has a query already: `${address}&token=${encodeURIComponent(token)}`.
   *
   * The address is a text because React Native's own `URL` is incomplete.
   */
  openSocket(address: string, token: string): Socket;
  fetch: typeof fetch;
  /** For positions, so that events are recovered after a restart. */
  store?: Store;
  /** Reports to `hints` until the returned function is called. */
  watch?(hints: Hints): Unsubscribe;
  /** True where the platform keeps the connection alive by ping frames: the client then sends no `ping`. */
  keepsAlive?: boolean;
}

export interface ClientOptions<As extends ClientType = ClientType> {
  /** The deployment's URL, `https://HOST`, without a path. */
  url: string;
  /** The client type of the token. */
  as: As;
  tokens: Tokens;
  platform: Platform;
  /**
   * The key of the positions in `platform.store`; `vitrina:positions:${as}` by default. Positions of
   * another account are ignored.
   */
  storageKey?: string;
  times?: Partial<Times>;
}

/** Durations in milliseconds. The defaults suit phones; tests make them short. */
export interface Times {
  /** The longest pause before the first attempt after a loss; it doubles with each attempt. */
  firstRetryMs: number;
  maxRetryMs: number;
  /** After a connection that lasted this long, pauses start from the shortest again. */
  stableMs: number;
  tokenTimeoutMs: number;
  handshakeTimeoutMs: number;
  greetingTimeoutMs: number;
  answerTimeoutMs: number;
  pongTimeoutMs: number;
  storeTimeoutMs: number;
  /** How long the store may lag behind the positions. */
  saveDelayMs: number;
  /** How long before its expiry a connection is extended with a newer token. */
  renewAheadMs: number;
  /** An app that returns to the foreground sooner keeps its socket. */
  backgroundGraceMs: number;
}

/** A room that the client joins on each connection, for as long as the app wants. */
export interface Room {
  readonly name: string;
  /**
   * Resolves once joined, on this connection or a later one. Rejects with the `VitrinaError` of a
   * refusal, or with the code `left` or `logged_out` if the app has left the room meanwhile.
   */
  join(): Promise<void>;
  /** Resolves once left; without a connection immediately. Never rejects. */
  leave(): Promise<void>;
}

/**
 * Vitrina's client. One per account and app; every callback may call any method, throw or reject.
 *
 *     const session = new Session({ url, secrets });
 *     const client = new VitrinaClient({ url, as: 'user', tokens: session, platform: browser() });
 *     client.on('product.approved', (event) => show(event.data.product_name));
 *     client.onRefetch((channel) => loadAgain());
 *     client.start();
 */
export interface Client {
  /** The options of the constructor. */
  readonly options: ClientOptions;
  readonly status: Status;
  /** Each event once, in the order of its channel; `'*'` is every event. */
  on<Name extends EventName>(name: Name, listener: (event: Events[Name]) => unknown): Unsubscribe;
  on(name: '*', listener: (event: Events[EventName]) => unknown): Unsubscribe;
  onStatus(listener: (status: Status) => unknown): Unsubscribe;
  /** Events of this channel cannot be recovered: load the channel's data over HTTP. */
  onRefetch(listener: (channel: string) => unknown): Unsubscribe;
  /** For the app's log: refusals, and exceptions of listeners. */
  onError(listener: (error: Error) => unknown): Unsubscribe;
  room(name: string): Room;
  /** The channel's position, or `null` before the first `connected`. */
  position(channel: string): Position | null;
  start(): void;
  /** Closes the connection and resolves when positions are stored, or cannot be stored. */
  stop(): Promise<void>;
  /** Stops, ends the session, and deletes positions and rooms. Never rejects: failures go to `onError`. */
  logout(): Promise<void>;
}
