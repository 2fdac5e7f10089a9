/** What an app sees of the client: options, statuses, errors, and what a platform has to offer. */

import type { Account, ClientType, EventName, Events } from './events.js';

export type { Account, ClientType, EventName, Events };

/** How far a client has read a channel: its events up to `seq`, which are counted in `epoch`. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** Where the connection stands, and why. What an app shows of it is up to the app. */
export type Status =
  /** The app has to call `start()`; after `login_required` the user has to log in before. */
  | { readonly state: 'stopped'; readonly reason: StopReason }
  /** Connects again by itself, when the app comes back or is asked to. */
  | { readonly state: 'paused'; readonly reason: PauseReason }
  /** A token is fetched, a handshake is under way, or `connected` is awaited. */
  | { readonly state: 'connecting' }
  /** Connected; missed events are arriving. */
  | { readonly state: 'catching_up' }
  | { readonly state: 'online' }
  /** Connects again by itself after a pause of at most `retryInMs` milliseconds. */
  | { readonly state: 'offline'; readonly reason: OfflineReason; readonly retryInMs: number };

export type StopReason =
  'not_started' | 'asked' | 'logged_out' | 'login_required' | 'account_disconnected';
export type PauseReason = 'background' | 'too_many_connections';
export type OfflineReason =
  /** The device says that it has no network. */
  | 'no_network'
  /** The host cannot be reached, or refused the handshake; browsers do not say which. */
  | 'unreachable'
  /** A token could not be fetched, though the session has not ended. */
  | 'token_unavailable'
  /** An answer, `connected` or any sign of life did not arrive in time. */
  | 'timeout'
  /** The connection ended without a reason. */
  | 'lost'
  /** The server closed the connection, and said why. */
  | 'token_expired'
  | 'everyone_disconnected'
  | 'too_many_requests'
  | 'too_slow';

export type Unsubscribe = () => void;

/**
 * An access token for requests and handshakes, from wherever an app keeps its session.
 *
 * `get` resolves to `null` when only a new login helps, and rejects when there is none *now*, as the
 * network is missing. `fresh` is true when the last token was refused or is about to expire.
 */
export interface Tokens {
  get(options: { readonly fresh: boolean; readonly signal: AbortSignal }): Promise<string | null>;
  /** Ends the session at the server and forgets it here. Without it `client.logout()` only stops. */
  logout?(): Promise<void>;
}

/** Something to keep text in: `localStorage`, `AsyncStorage`, a keychain. May be async, may fail. */
export interface Store {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

/** What of a WebSocket the client uses; each platform's own has it. */
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

/** What a device tells from outside. Hints never restart work that is under way. */
export interface Hints {
  foreground(): void;
  background(): void;
  /** The network is there, or has changed. */
  online(): void;
  offline(): void;
}

/** What the client needs of the platform it runs on; `browser()`, `reactNative()` and `node()` make one. */
export interface Platform {
  /**
   * Opens a socket. The token goes where the platform can put it best: a header, a subprotocol, or
   * the query of `address`, which has one already: `${address}&token=${encodeURIComponent(token)}`.
   *
   * The address is text, as React Native's own `URL` is not a complete one.
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
  /** Where `platform.store` keeps positions; `vitrina:positions:${as}` by default. Those of another account are ignored. */
  storageKey?: string;
  times?: Partial<Times>;
}

/** Durations in milliseconds. The defaults suit phones; tests make them short. */
export interface Times {
  /** The longest pause before the first attempt after a loss; it doubles with each. */
  firstRetryMs: number;
  maxRetryMs: number;
  /** A connection that lasted so long was a good one: pauses begin anew. */
  stableMs: number;
  tokenTimeoutMs: number;
  handshakeTimeoutMs: number;
  greetingTimeoutMs: number;
  answerTimeoutMs: number;
  pongTimeoutMs: number;
  storeTimeoutMs: number;
  /** How long positions may be newer than those in the store. */
  saveDelayMs: number;
  /** How long before a connection expires it is extended with a newer token. */
  renewAheadMs: number;
  /** An app that comes back sooner keeps its socket. */
  backgroundGraceMs: number;
}

/** A room that the client joins on each connection, for as long as the app wants. */
export interface Room {
  readonly name: string;
  /**
   * Resolves once joined, on this connection or a later one. Rejects with the `VitrinaError` of a
   * refusal, or with the code `left` or `logged_out`: then the room is not wanted any more.
   */
  join(): Promise<void>;
  /** Resolves once left; at once where there is no connection. Never rejects. */
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
  /** What it was made with. */
  readonly options: ClientOptions;
  readonly status: Status;
  /** Each event once, in the order of its channel; `'*'` is every event. */
  on<Name extends EventName>(name: Name, listener: (event: Events[Name]) => unknown): Unsubscribe;
  on(name: '*', listener: (event: Events[EventName]) => unknown): Unsubscribe;
  onStatus(listener: (status: Status) => unknown): Unsubscribe;
  /** Events of this channel cannot be recovered: load what it shows over HTTP. */
  onRefetch(listener: (channel: string) => unknown): Unsubscribe;
  /** For the app's log: refusals, and exceptions of listeners. */
  onError(listener: (error: Error) => unknown): Unsubscribe;
  room(name: string): Room;
  /** The channel's position, or `null` before the first `connected`. */
  position(channel: string): Position | null;
  start(): void;
  /** Closes the connection and resolves when positions are kept, or cannot be. */
  stop(): Promise<void>;
  /** Stops, ends the session, and forgets positions and rooms. Never rejects: failures go to `onError`. */
  logout(): Promise<void>;
}
