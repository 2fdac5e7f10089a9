/** Keeps a user logged in: the refresh token in a secure store, the access token in memory only. */

import type { components } from './api.js';
import { NetworkError, Problem, VitrinaError } from './errors.js';
import type { Account } from './events.js';
import { origin } from './origin.js';
import { request } from './request.js';
import { Safe, type SafeTimes } from './safe.js';
import { stopwatch, within } from './time.js';
import type { Store, Tokens } from './types.js';

type Schemas = components['schemas'];

/** The answer to a login. */
export type LoggedIn = Schemas['LoggedIn'];
type Issued = Schemas['Tokens'];

type GetOptions = Partial<Parameters<Tokens['get']>[0]>;

export interface SessionOptions {
  /** The deployment's URL, `https://HOST`, without a path. */
  readonly url: string;
  /** A keychain, or another store that no other app can read. */
  readonly secrets: Store;
  readonly fetch?: typeof fetch;
  /** The beginning of the keys in `secrets`: `vitrina` by default. */
  readonly storageKey?: string;
  readonly times?: Partial<SessionTimes>;
}

/** Durations in milliseconds. */
export interface SessionTimes extends SafeTimes {
  /** How long before it expires an access token is exchanged. */
  readonly renewAheadMs: number;
  /** For an answer of the server. */
  readonly requestTimeoutMs: number;
  /** For all of `logout()`. */
  readonly logoutTimeoutMs: number;
}

const TIMES: SessionTimes = {
  renewAheadMs: 300_000,
  requestTimeoutMs: 12_000,
  storeTimeoutMs: 5000,
  storePatienceMs: 60_000,
  logoutTimeoutMs: 8000,
};

/** The data stored between two runs of the app. */
interface Kept {
  readonly refreshToken: string;
  readonly account: Account;
}

interface Access {
  readonly token: string;
  readonly isValid: () => boolean;
  /** Whether it is time to request the next token. */
  readonly isDue: () => boolean;
}

/**
 * A session of one account: `tokens` for a client.
 *
 *     const session = new Session({ url, secrets });
 *     await session.login('anna@example.com', password, { deviceName: 'Pixel 9' });
 * Failed requests change nothing, and may be repeated; only a refusal ends the session. Methods reject
 * with `Problem`, with `NetworkError`, or with `VitrinaError` `store_failed`.
 */
export class Session implements Tokens {
  readonly #origin: string;
  readonly #times: SessionTimes;
  readonly #kept: Safe;
  readonly #device: Safe;
  #access: Access | null = null;
  /** The account of `#access`: another tab may log in as somebody else. */
  #account: Account | null = null;
  #renewing: Promise<string | null> | null = null;
  /** Counts logins and logouts: requests that were under way before belong to another session. */
  #era = 0;
  #isLoggedOut = false;

  constructor(readonly options: SessionOptions) {
    const { url, secrets, storageKey = 'vitrina' } = options;
    this.#origin = origin(url);
    this.#times = { ...TIMES, ...options.times };
    this.#kept = new Safe(secrets, `${storageKey}.session`, this.#times);
    this.#device = new Safe(secrets, `${storageKey}.device`, this.#times);
  }

  /** Begins a session. People see `deviceName`, at most 40 characters, in the list of their sessions. */
  async login(
    email: string,
    password: string,
    { deviceName }: { readonly deviceName?: string } = {},
  ): Promise<Account> {
    const device = await this.#device.read().catch(() => null);
    const answer = await this.#post('login', {
      email,
      password,
      ...(device && { device }),
      ...(deviceName && { device_name: deviceName }),
    });
    return this.begin(issuedIn(answer) as LoggedIn);
  }

  /** Begins a session with the answer to a login that the app has sent itself. */
  async begin(answer: LoggedIn): Promise<Account> {
    const access = this.#accessOf(answer, stopwatch());
    const { account, refresh_token: refreshToken, device } = answer;
    const era = this.#leave();
    await this.#kept.write(textOf({ refreshToken, account }));
    // The device only exempts the next login from the limits of its network.
    await this.#device.write(device).catch(() => undefined);
    if (era === this.#era) {
      this.#access = access;
      this.#account = account;
    }
    return account;
  }

  /** Who is logged in, without a request. */
  account(): Promise<Account | null> {
    return this.#unlessFailedForGood(async () => (await this.#find())?.account ?? null);
  }

  /** An access token; `null` when only a new login helps. With `fresh` it is a newer one. */
  get({ fresh = false, signal }: GetOptions = {}): Promise<string | null> {
    const access = this.#access;
    if (fresh || !access?.isValid()) {
      const { requestTimeoutMs, storeTimeoutMs } = this.#times;
      return within(requestTimeoutMs + 3 * storeTimeoutMs, signal, () => this.#renew());
    }
    // A failure costs nothing while this one is valid, and the next call tries again.
    if (access.isDue()) this.#renew().catch(() => undefined);
    return Promise.resolve(access.token);
  }

  /** Ends the session: here in any case, and on the server if it can be reached in time. */
  async logout(): Promise<void> {
    const access = this.#access;
    const reading = this.#read().catch(() => null);
    const era = this.#leave();
    this.#isLoggedOut = true;
    await within(this.#times.logoutTimeoutMs, undefined, async (signal) => {
      const kept = await reading;
      await Promise.allSettled([
        era === this.#era && this.#kept.write(null),
        this.#end(access, kept, signal),
      ]);
    }).catch(() => undefined);
  }

  /** Clears the memory; returns the number of the era that begins. */
  #leave(): number {
    this.#access = this.#account = this.#renewing = null;
    this.#isLoggedOut = false;
    this.#era += 1;
    return this.#era;
  }

  /** All callers that need a token share one exchange, which has a timeout. */
  #renew(): Promise<string | null> {
    if (this.#renewing) return this.#renewing;
    const renewing = this.#unlessFailedForGood(() => this.#exchange()).finally(() => {
      if (this.#renewing === renewing) this.#renewing = null;
    });
    this.#renewing = renewing;
    return renewing;
  }

  async #exchange(): Promise<string | null> {
    const era = this.#era;
    const kept = await this.#find();
    if (!kept) return null;
    const elapsed = stopwatch();
    try {
      const answer = issuedIn(await this.#post('refresh', { refresh_token: kept.refreshToken }));
      const access = this.#accessOf(answer, elapsed);
      if (era === this.#era) await this.#replace(kept, answer.refresh_token);
      if (era !== this.#era) return await this.get();
      this.#access = access;
      this.#account = kept.account;
      return access.token;
    } catch (error) {
      if (!isEnd(error)) throw error;
      return era === this.#era ? this.#giveUp(kept) : this.get();
    }
  }

  /** Stores the next refresh token, before anything else of the answer is used. */
  async #replace({ refreshToken, account }: Kept, next: string): Promise<void> {
    if (next !== refreshToken) await this.#kept.write(textOf({ refreshToken: next, account }));
  }

  /** A refresh token was refused: the session ends, unless another tab has stored a newer token. */
  async #giveUp({ refreshToken }: Kept): Promise<string | null> {
    const kept = await this.#find().catch(() => null);
    if (kept && kept.refreshToken !== refreshToken) return this.#exchange();
    this.#leave();
    await this.#kept.write(null).catch(() => undefined);
    return null;
  }

  async #find(): Promise<Kept | null> {
    const kept = this.#isLoggedOut ? null : await this.#read();
    if (this.#isLoggedOut || !kept) return null;
    return !this.#account || isSame(kept.account, this.#account) ? kept : null;
  }

  async #read(): Promise<Kept | null> {
    return keptOf(await this.#kept.read());
  }

  async #unlessFailedForGood<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (isOfStore(error) && this.#kept.hasFailedForGood) return null;
      throw error;
    }
  }

  /** Ends the session on the server, with a new token if there is no valid one. */
  async #end(access: Access | null, kept: Kept | null, signal: AbortSignal): Promise<void> {
    if (access?.isValid() && (await this.#endWith(access.token, signal))) return;
    if (!kept) return;
    const answer = await this.#post('refresh', { refresh_token: kept.refreshToken }, { signal });
    await this.#endWith(issuedIn(answer).access_token, signal);
  }

  #endWith(token: string, signal: AbortSignal): Promise<boolean> {
    return this.#post('logout', undefined, { token, signal }).then(
      () => true,
      () => false,
    );
  }

  async #post(
    name: 'login' | 'refresh' | 'logout',
    body: unknown,
    { token, signal }: { token?: string; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const { fetch: send = fetch } = this.options;
    const { data } = await within(this.#times.requestTimeoutMs, signal, (ender) =>
      request(
        // Browsers' `fetch` must be called as a function.
        (...args) => send(...args),
        {
          method: 'POST',
          url: `${this.#origin}/api/v1/auth/${name}`,
          headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
          body,
        },
        ender,
      ),
    );
    return data;
  }

  #accessOf({ access_token: token, expires_in: seconds }: Issued, elapsed: () => number): Access {
    const leftMs = (): number => seconds * 1000 - elapsed();
    const aheadMs = Math.min(this.#times.renewAheadMs, seconds * 250);
    return { token, isValid: () => leftMs() > 0, isDue: () => leftMs() < aheadMs };
  }
}

/** The refusals after which only a new login helps; a proxy's 401 has no code. */
const isEnd = (error: unknown): boolean =>
  error instanceof Problem && error.status === 401 && error.code !== 'http_401';

const isOfStore = (error: unknown): boolean =>
  error instanceof VitrinaError && error.code === 'store_failed';

const isSame = (one: Account, other: Account): boolean =>
  one.id === other.id && one.client_type === other.client_type;

const textOf = (kept: Kept): string => JSON.stringify(kept);

/** The stored data, or null if the text is something else. */
function keptOf(text: string | null): Kept | null {
  try {
    const found = JSON.parse(text ?? '') as Partial<Kept> | null;
    const { refreshToken, account } = found ?? {};
    return typeof refreshToken === 'string' && typeof account?.id === 'number'
      ? { refreshToken, account }
      : null;
  } catch {
    return null;
  }
}

/** Returns the tokens of an answer; throws NetworkError if the answer is from another server. */
function issuedIn(answer: unknown): Issued {
  const {
    access_token: access,
    refresh_token: refresh,
    expires_in: seconds,
  } = (answer ?? {}) as Issued;
  if (typeof access === 'string' && typeof refresh === 'string' && seconds > 0)
    return answer as Issued;
  throw new NetworkError('The answer has no tokens.');
}
