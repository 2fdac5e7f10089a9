/** Requests with the types of openapi.json: tokens, positions, keys and retries are added here. */

import type { paths } from './api.js';
import { NetworkError, Problem, VitrinaError } from './errors.js';
import { request, type Answer } from './request.js';
import { sleep, stopwatch, within } from './time.js';
import { origin } from './origin.js';
import type { Client } from './types.js';

type Method = 'get' | 'post' | 'put' | 'delete';

/** The routes that a session calls. */
type OfSessions = '/api/v1/auth/login' | '/api/v1/auth/refresh' | '/api/v1/auth/logout';

/** The paths that have a method. */
export type PathOf<M extends Method> = {
  [P in Exclude<keyof paths, OfSessions>]: paths[P][M] extends object ? P : never;
}[Exclude<keyof paths, OfSessions>];

type Operation<M extends Method, P extends PathOf<M>> = NonNullable<paths[P][M]>;

/** The type of an object's property; `never` if the property is missing. */
type At<O, Name extends PropertyKey> =
  O extends Partial<Record<Name, unknown>> ? NonNullable<O[Name & keyof O]> : never;

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;

type Body<O> = Json<At<O, 'requestBody'>>;

/** The bodies of 2xx; `undefined` for a 204. */
type Data<O> = O extends { responses: infer R }
  ? { [S in keyof R & (200 | 201 | 204)]: S extends 204 ? undefined : Json<R[S]> }[keyof R &
      (200 | 201 | 204)]
  : never;

/** An option for each T, which may be left out if T has nothing that is required. */
type Option<Name extends string, T> = [T] extends [never]
  ? unknown
  : Partial<T> extends T
    ? Partial<Record<Name, T>>
    : Record<Name, T>;

/** An option for a header; it is required if the header is. */
type HeaderOption<Headers, Header extends string, Name extends string, T> = [Headers] extends [
  never,
]
  ? unknown
  : Headers extends Record<Header, unknown>
    ? Record<Name, T>
    : Header extends keyof Headers
      ? Partial<Record<Name, T>>
      : unknown;

/** The options of a call: `path`, `query`, `body`, `ifMatch` and `idempotencyKey`, if its route has them. */
export type CallOptions<O, P = At<O, 'parameters'>> = Option<'path', At<P, 'path'>> &
  Option<'query', At<P, 'query'>> &
  Option<'body', Body<O>> &
  HeaderOption<At<P, 'header'>, 'If-Match', 'ifMatch', number | string> &
  HeaderOption<At<P, 'header'>, 'Idempotency-Key', 'idempotencyKey', string> & {
    readonly signal?: AbortSignal;
    /** For all attempts together, in milliseconds: 30,000 by default. */
    readonly timeoutMs?: number;
  };

type Call<M extends Method> = <P extends PathOf<M>>(
  path: P,
  ...options: Partial<CallOptions<Operation<M, P>>> extends CallOptions<Operation<M, P>>
    ? [CallOptions<Operation<M, P>>?]
    : [CallOptions<Operation<M, P>>]
) => Promise<Answer<Data<Operation<M, P>>>>;

/**
 * Requests with the types of openapi.json.
 *
 *     const http = createHttp(client);
 *     const { data } = await http.get('/api/v1/products', { query: { status: 'approved' } });
 *     await http.post('/api/v1/admin/products/{product_id}/approve', {
 *       path: { product_id: 7 }, ifMatch: 3, body: { moderation_notes: 'Good' } });
 *
 * A call rejects with `Problem` for an answer that is not 2xx, with `NetworkError` without one, and
 * with `VitrinaError` `login_required` when only a new login helps. A call is repeated within
 * its timeout if a repetition cannot have a second effect: each call has a new `idempotencyKey`, which
 * its repetitions share. `ifMatch` is a version, or an `etag` as it was received.
 */
export interface Http {
  readonly get: Call<'get'>;
  readonly post: Call<'post'>;
  readonly put: Call<'put'>;
  readonly delete: Call<'delete'>;
}

/** The client whose host, tokens, positions and `fetch` requests use. A list is not older than its position. */
export type HttpClient = Pick<Client, 'options' | 'position'>;

/** The paths of lists that take a position; `since` of events means something else. */
const LISTS: readonly string[] = ['/api/v1/products'];

const TIMEOUT_MS = 30_000;
const ATTEMPT_MS = 12_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 8000;

type Query = Record<string, string | number | null | undefined>;

/** `CallOptions` of an unknown route. */
interface AnyOptions {
  path?: Record<string, string | number>;
  query?: Query;
  body?: unknown;
  ifMatch?: number | string;
  idempotencyKey?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** Requests for a client; they need no connection. */
export function createHttp(client: HttpClient): Http {
  const call =
    (method: string) =>
    (path: string, given: AnyOptions = {}): Promise<Answer<unknown>> =>
      new Exchange(client, method, path, given).settle();
  return {
    get: call('GET'),
    post: call('POST'),
    put: call('PUT'),
    delete: call('DELETE'),
  } as unknown as Http;
}

/** One logical call, with as many attempts as fit into its timeout. */
class Exchange {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #elapsed = stopwatch();
  readonly #timeoutMs: number;
  /** The token was refused: the next one has to be a newer one. */
  #wantsFresh = false;
  /** The attempt may have reached the server. */
  #isSent = false;

  constructor(
    readonly client: HttpClient,
    readonly method: string,
    path: string,
    readonly given: AnyOptions,
  ) {
    this.#url = addressOf(client, path, given);
    this.#headers = headersOf(method, given);
    this.#timeoutMs = given.timeoutMs ?? TIMEOUT_MS;
  }

  async settle(): Promise<Answer<unknown>> {
    for (let attempts = 0; ; attempts += 1) {
      try {
        const leftMs = this.#timeoutMs - this.#elapsed();
        return await within(Math.min(leftMs, ATTEMPT_MS), this.given.signal, this.#attempt);
      } catch (error) {
        if (this.given.signal?.aborted) throw error;
        await this.#prepareRepetition(error, attempts);
      }
    }
  }

  readonly #attempt = async (signal: AbortSignal): Promise<Answer<unknown>> => {
    this.#isSent = false;
    const token = await this.#token(signal);
    this.#isSent = true;
    return request(
      this.client.options.platform.fetch,
      {
        method: this.method,
        url: this.#url,
        headers: { ...this.#headers, ...(token && { Authorization: `Bearer ${token}` }) },
        body: this.given.body,
      },
      signal,
    );
  };

  async #token(signal: AbortSignal): Promise<string | null> {
    const fresh = this.#wantsFresh;
    let token: string | null;
    try {
      token = await this.client.options.tokens.get({ fresh, signal });
    } catch (cause) {
      throw cause instanceof VitrinaError ? cause : new NetworkError('No token.', { cause });
    }
    // Everyone may read public lists, without a token too.
    if (token === null && fresh) throw loginRequired();
    return token;
  }

  /** Waits until the call may be repeated; rejects if it may not be, or not in time. */
  async #prepareRepetition(error: unknown, attempts: number): Promise<void> {
    if (error instanceof Problem && error.status === 401) {
      if (this.#wantsFresh || error.code === 'token_missing') throw loginRequired(error);
      this.#wantsFresh = true;
      return;
    }
    if (!this.#mayRepeat(error)) throw error;
    const pauseMs = pauseAfter(error, attempts);
    if (this.#elapsed() + pauseMs >= this.#timeoutMs) throw error;
    await sleep(pauseMs, this.given.signal);
  }

  #mayRepeat(error: unknown): boolean {
    if (error instanceof Problem && isUndone(error)) return true;
    // A repeated PUT of a version is refused if the first was done, because the version has changed.
    const isOnce = this.method === 'PUT' && this.given.ifMatch !== undefined;
    return isUnknown(error) && !(this.#isSent && isOnce);
  }
}

/** The server reports that nothing was done; a later attempt may succeed. */
const isUndone = ({ status, code }: Problem): boolean =>
  status === 429 || ['busy', 'issuer_unreachable', 'request_running'].includes(code);

/** The request may have been done: by a function that was killed, or without its answer arriving. */
const isUnknown = (error: unknown): boolean =>
  error instanceof Problem ? [502, 503, 504].includes(error.status) : error instanceof NetworkError;

function pauseAfter(error: unknown, attempts: number): number {
  const wanted = error instanceof Problem ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  return wanted + Math.random() * Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts);
}

const loginRequired = (cause?: Problem): VitrinaError =>
  new VitrinaError('login_required', 'The session has ended.', { cause });

function addressOf(client: HttpClient, path: string, { path: values, query }: AnyOptions): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(values?.[name])),
  );
  const { url, as } = client.options;
  const at = LISTS.includes(path) ? client.position(as) : null;
  const given: Query = { ...(at && { since: `${at.epoch}:${at.seq}` }), ...query };
  const search = Object.entries(given)
    .flatMap(([name, value]) => (value == null ? [] : `${name}=${encodeURIComponent(value)}`))
    .join('&');
  return `${origin(url)}${filled}${search && `?${search}`}`;
}

function headersOf(
  method: string,
  { ifMatch, idempotencyKey }: AnyOptions,
): Record<string, string> {
  return {
    ...(ifMatch !== undefined && {
      'If-Match': typeof ifMatch === 'number' ? `"${ifMatch}"` : ifMatch,
    }),
    // Routes without keys ignore it.
    ...(method === 'POST' && { 'Idempotency-Key': idempotencyKey ?? newKey() }),
  };
}

// Random enough to be unique; React Native has no `crypto`.
export const newKey = (): string =>
  Array.from({ length: 3 }, () => Math.random().toString(36).slice(2)).join('');
