/** A `fetch` and a store that a test controls. */

import type { HttpClient } from '../src/http.js';
import type { ClientOptions, Store } from '../src/types.js';

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
}

type Reply = Response | Error | 'hang' | ((sent: Sent) => Response | Promise<Response>);

export const json = (
  body: unknown,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Response => new Response(JSON.stringify(body), { status, headers });

export const problem = (
  status: number,
  code: string,
  headers: Record<string, string> = {},
): Response => json({ type: `/problems#${code}`, title: code, status, code }, { status, headers });

export const offline = (): Error => new TypeError('fetch failed');

/** A client without a connection, for requests. */
export function httpClient(
  { fetch }: Pick<ScriptedFetch, 'fetch'>,
  {
    position = () => null,
    ...given
  }: Partial<Pick<ClientOptions, 'as' | 'tokens'> & Pick<HttpClient, 'position'>> = {},
): HttpClient {
  const openSocket = () => {
    throw new Error('Requests need no connection.');
  };
  return {
    options: {
      url: 'https://shop.example/',
      as: 'user',
      tokens: { get: () => Promise.resolve('T1') },
      platform: { openSocket, fetch },
      ...given,
    },
    position,
  };
}

/** Replies in turn; the last reply is repeated if it is a function. */
export class ScriptedFetch {
  readonly sent: Sent[] = [];
  readonly #replies: Reply[];

  constructor(...replies: Reply[]) {
    this.#replies = replies;
  }

  readonly fetch: typeof fetch = (input, init = {}) => {
    const { signal, body } = init;
    const sent: Sent = {
      method: init.method ?? 'GET',
      url: input as string,
      headers: new Headers(init.headers),
      body: typeof body === 'string' ? JSON.parse(body) : undefined,
    };
    this.sent.push(sent);
    const [next] = this.#replies;
    if (typeof next !== 'function') this.#replies.shift();
    if (next === undefined) throw new Error(`No reply is left for ${sent.url}`);
    if (next === 'hang') return until(signal);
    if (next instanceof Error) return Promise.reject(next);
    return Promise.resolve(typeof next === 'function' ? next(sent) : next);
  };

  /** Paths and queries, in their order. */
  get paths(): string[] {
    return this.sent.map(
      ({ method, url }) => `${method} ${url.replace('https://shop.example', '')}`,
    );
  }
}

const until = (signal: AbortSignal | null | undefined): Promise<never> =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => {
      reject(new DOMException('aborted', 'AbortError'));
    });
  });

/** Stores texts in memory; calls of a name in `broken` hang or fail. */
export class ScriptedStore implements Store {
  readonly kept = new Map<string, string>();
  readonly broken: { [Name in keyof Store]?: 'hangs' | 'fails' | undefined } = {};
  /** Ends every call that hangs. */
  resume: () => void = () => undefined;
  #resumed = new Promise<void>((resolve) => {
    this.resume = resolve;
  });

  async getItem(key: string): Promise<string | null> {
    await this.#suffer('getItem');
    return this.kept.get(key) ?? null;
  }

  async setItem(key: string, value: string): Promise<void> {
    await this.#suffer('setItem');
    this.kept.set(key, value);
  }

  async removeItem(key: string): Promise<void> {
    await this.#suffer('removeItem');
    this.kept.delete(key);
  }

  async #suffer(name: keyof Store): Promise<void> {
    if (this.broken[name] === 'fails') throw new Error('The keychain is locked.');
    if (this.broken[name] === 'hangs') await this.#resumed;
  }
}
