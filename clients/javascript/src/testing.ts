/** A server in memory, for tests of apps: it answers a client like the real server. */

import { Channels } from './testing/channels.js';
import { ServerSocket, type FakeConnection, type Port } from './testing/connection.js';
import { identityOf, Protocol } from './testing/protocol.js';
import { answer, bearer, problem, type FakeAnswer, type FakeRequest } from './testing/routes.js';
import { ACCOUNTS, Sessions, type FakeAccount } from './testing/sessions.js';
import type {
  ClientType,
  EventName,
  Events,
  Hints,
  Platform,
  Position,
  Store,
  Tokens,
} from './types.js';

export type { FakeAccount, FakeAnswer, FakeConnection, FakeRequest };
export { problem };

/**
 * Vitrina's server in memory. It uses no timers, so it works with fake timers too.
 *
 *     const server = new FakeServer();
 *     const client = new VitrinaClient({
 *       url: server.url, as: 'user', tokens: server.tokens('user'), platform: server.platform() });
 *     client.start();
 *     server.publish('product.approved', { product_id: 7, … });
 *     server.disconnect();        // like a tunnel; the client reconnects and recovers
 */
export class FakeServer {
  readonly url: string;
  /** A WebSocket class that connects to this server: for `globalThis`, or an adapter's option. */
  readonly WebSocket: new (address: string | URL, ...more: readonly unknown[]) => ServerSocket;
  /** Connections that are open or being opened, the oldest first. */
  readonly connections: FakeConnection[] = [];
  /** Every request so far. */
  readonly requests: FakeRequest[] = [];
  /** The number of sockets so far, refused ones too. */
  handshakes = 0;
  /** If false, handshakes and requests fail, as without a network. Open connections stay: see `disconnect`. */
  isReachable = true;
  /** If false, the server only accepts connections, and the test sends all frames. */
  isAutomatic = true;
  /** Handshakes to refuse from now on, as with 401, 403 or 429. */
  refuses = 0;
  pingIntervalSeconds = 240;

  readonly #channels = new Channels();
  readonly #sessions: Sessions;
  readonly #routes = new Map<string, (request: FakeRequest) => FakeAnswer>();
  readonly #protocol: Protocol;
  #isHeld = false;

  constructor({
    url = 'https://vitrina.test',
    accounts = ACCOUNTS,
  }: { url?: string; accounts?: readonly FakeAccount[] } = {}) {
    this.url = url;
    this.#sessions = new Sessions(accounts);
    this.#protocol = new Protocol(this.#channels, this.#sessions, this);
    const port = this.#port();
    this.WebSocket = class extends ServerSocket {
      static readonly CONNECTING = 0;
      static readonly OPEN = 1;
      static readonly CLOSING = 2;
      static readonly CLOSED = 3;

      constructor(address: string | URL, ...more: readonly unknown[]) {
        super(port, new URL(address), tokenIn(new URL(address), more));
      }
    };
  }

  /** A platform that uses this server. `hints` simulates the device. */
  platform(store: Store = memory()): Platform & { readonly store: Store; readonly hints: Hints } {
    const watching = new Set<Hints>();
    const notify = (hint: keyof Hints) => () => {
      for (const hints of watching) hints[hint]();
    };
    return {
      openSocket: (address, token) => new this.WebSocket(address, ['bearer', token]),
      fetch: this.fetch,
      store,
      watch(hints) {
        watching.add(hints);
        return () => void watching.delete(hints);
      },
      hints: {
        foreground: notify('foreground'),
        background: notify('background'),
        online: notify('online'),
        offline: notify('offline'),
      },
    };
  }

  /** The token source of an account that has logged in already. */
  tokens(clientType: ClientType): Tokens {
    const session = this.#sessions.begin(this.#sessions.of(clientType));
    let token: string | null = null;
    return {
      get: ({ fresh }) => {
        const access = this.#sessions.check(token);
        if ('code' in access && access.code === 'token_revoked') return Promise.resolve(null);
        if (token === null || fresh) token = this.#sessions.accessToken(session);
        return Promise.resolve(token);
      },
      logout: () => {
        this.#endSession(session.id);
        return Promise.resolve();
      },
    };
  }

  /** Publishes an event, to the channels of its kind or to those of `to`; resolves when it is sent. */
  publish<Name extends EventName>(
    name: Name,
    data: Events[Name]['data'],
    to?: readonly string[],
  ): Promise<void> {
    for (const event of this.#channels.publish(name, data, to)) {
      for (const each of this.connections) if (each.channels.has(event.channel)) each.send(event);
    }
    return settled();
  }

  /** The position of a channel. */
  position(channel: string): Position {
    return this.#channels.position(channel);
  }

  /** Expires all present events of the channel: clients that missed them have to refetch. */
  expireHistory(channel: string): void {
    this.#channels.expire(channel);
  }

  /** Starts a new epoch: the channel's numbers begin with 1 again. */
  renumber(channel: string): void {
    this.#channels.renumber(channel);
  }

  /** Ends all connections: with a `closing` reason, or like a tunnel. */
  disconnect(reason: string | null = null): Promise<void> {
    for (const connection of [...this.connections]) connection.close(reason);
    return settled();
  }

  /** Holds back all frames from now on, while every connection looks open. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Delivers all frames that were held back. */
  release(): Promise<void> {
    this.#isHeld = false;
    for (const connection of [...this.connections]) connection.release();
    return settled();
  }

  /** Sets the lifetime of access tokens that are issued from now on. */
  set tokenLifetimeSeconds(seconds: number) {
    this.#sessions.lifetimeSeconds = seconds;
  }

  /** Expires all present access tokens, but no refresh tokens. */
  expireTokens(): void {
    this.#sessions.expire();
  }

  /** Ends all sessions, like an administrator: users have to log in again. */
  endSessions(): Promise<void> {
    this.#sessions.endAll();
    return this.disconnect('account_disconnected');
  }

  /** Answers a route, such as `GET /api/v1/products`, with this body, or with the result of a function. */
  respond(route: string, to: ((request: FakeRequest) => FakeAnswer) | object): void {
    const isFunction = typeof to === 'function';
    this.#routes.set(
      route,
      isFunction ? (to as (request: FakeRequest) => FakeAnswer) : () => ({ body: to }),
    );
  }

  /** A `fetch` that calls this server: for `globalThis`, or a platform. */
  readonly fetch: typeof fetch = async (input, init = {}) => {
    await Promise.resolve();
    if (!this.isReachable || this.#isHeld) throw new TypeError('The network is unreachable.');
    const url = new URL(input instanceof Request ? input.url : input);
    const { method = 'GET', headers, body } = input instanceof Request ? input : init;
    const text = input instanceof Request ? await input.text() : body;
    const request: FakeRequest = {
      method: method.toUpperCase(),
      url,
      headers: new Headers(headers),
      body: typeof text === 'string' && text ? JSON.parse(text) : null,
    };
    this.requests.push(request);
    return responseOf(this.#answer(request));
  };

  #answer(request: FakeRequest): FakeAnswer {
    const own = this.#routes.get(`${request.method} ${request.url.pathname}`);
    if (own) return own(request);
    const end = ({ session }: { session: { id: string } }) => {
      this.#endSession(session.id);
    };
    const found = answer(request, this.#sessions, this.#channels, end);
    return found ?? problem(404, 'route_not_found', 'Not found');
  }

  #endSession(id: string): void {
    const tokens = this.connections.filter(({ token }) => this.#sessions.idOf(token) === id);
    this.#sessions.end(id);
    for (const connection of tokens) connection.close('account_disconnected');
  }

  #port(): Port {
    const isHeld = () => this.#isHeld;
    return {
      get isHeld() {
        return isHeld();
      },
      connect: (connection) => {
        this.handshakes += 1;
        this.connections.push(connection);
      },
      accept: (connection) => this.#accept(connection),
      heed: (connection, message) => {
        if (this.isAutomatic) this.#protocol.heed(connection, message);
      },
      leave: (connection) => {
        const index = this.connections.indexOf(connection);
        if (index !== -1) this.connections.splice(index, 1);
      },
    };
  }

  #accept(connection: FakeConnection): boolean {
    const access = this.#sessions.check(connection.token);
    if (!this.isReachable) return false;
    if (this.refuses > 0) {
      this.refuses -= 1;
      return false;
    }
    if (!this.isAutomatic) return true;
    if ('code' in access) return false;
    const { account } = access.session;
    if (connection.address.pathname !== `/ws/${account.client_type}`) return false;
    connection.account = account;
    connection.channels.add(account.client_type).add(identityOf(account));
    queueMicrotask(() => {
      this.#protocol.greet(connection, access.expiresAt);
    });
    return true;
  }
}

/** The token of a handshake: in a subprotocol, a header, or the query. */
function tokenIn(address: URL, more: readonly unknown[]): string | null {
  const [first] = more;
  if (Array.isArray(first)) return String(first[1]);
  const options = more.find((each) => typeof each === 'object' && each !== null) as
    { headers?: Record<string, string> } | undefined;
  return bearer(options?.headers?.['Authorization'] ?? null) ?? address.searchParams.get('token');
}

function responseOf({ status = 200, headers = {}, body }: FakeAnswer): Response {
  const text = body === undefined ? null : JSON.stringify(body);
  return new Response(text, {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

/** A store in memory. */
export function memory(): Store {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

/** Resolves once all frames have arrived, and the frames that they caused. */
export async function settled(): Promise<void> {
  for (let step = 0; step < 50; step += 1) await Promise.resolve();
}
