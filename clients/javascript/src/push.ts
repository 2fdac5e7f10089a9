/** Push notifications: the phone's registration, and the notifications that were shown already. */

import type { components } from './api.js';
import { createHttp, newKey, type Http, type HttpClient } from './http.js';
import { within } from './time.js';
import type { Store } from './types.js';

type Registration = components['schemas']['Registration'];

export interface PushOptions {
  readonly client: HttpClient;
  /** For the installation's name and the ids of shown notifications; not secret. */
  readonly store: Store;
  /** `vitrina:push` by default. */
  readonly storageKey?: string;
}

/** The description of a phone. Language and time zone are the phone's by default. */
export type PushRegistration = Omit<Registration, 'locale' | 'timezone'> &
  Partial<Pick<Registration, 'locale' | 'timezone'>>;

/** An app shows `new` events, and ignores a `repeat`. */
export type Received = 'new' | 'repeat';

/** The number of remembered ids. By the time an id is dropped, the channel's position is past its event. */
const MAX_IDS = 200;
const STORE_TIMEOUT_MS = 2000;
const UNREGISTER_TIMEOUT_MS = 3000;

/** The data stored between two runs of the app. */
interface Kept {
  readonly deviceId: string;
  /** The oldest first. */
  readonly ids: Set<string>;
}

/**
 * Push notifications of a client; one per client.
 *
 *     const push = new Push({ client, store: AsyncStorage });
 *     await push.register({ platform: 'fcm', token, app_version: '1.4.0' }); // at every start
 *     if ((await push.received(data)) === 'new') show(data);
 *
 * `client.logout()` ends push too: the server removes the phone together with its session.
 * If the store fails, pushes still arrive, but the phone has another name after each start, and a
 * notification may be shown again after a start.
 */
export class Push {
  readonly #client: HttpClient;
  readonly #http: Http;
  readonly #store: Store;
  readonly #storageKey: string;
  #kept: Promise<Kept> | null = null;
  #isSaving = false;
  #isChanged = false;
  /** Of the latest call, which aborts the call before: otherwise the older one could take effect last. */
  #request = new AbortController();

  constructor({ client, store, storageKey = 'vitrina:push' }: PushOptions) {
    this.#client = client;
    this.#http = createHttp(client);
    this.#store = store;
    this.#storageKey = storageKey;
  }

  /**
   * Registers this phone for the session's account; at every start, and for each new token.
   *
   * Rejects as `Http` does: with `push_off` if the deployment has no push, and with an AbortError
   * when a later call replaces this one.
   */
  async register(registration: PushRegistration): Promise<void> {
    const signal = this.#begin();
    const { locale, timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const body = { locale, timezone: timeZone, ...registration };
    const { deviceId } = await this.#load();
    const path = { device_id: deviceId };
    await this.#http.put('/api/v1/me/devices/{device_id}', { path, body, signal });
  }

  /**
   * Removes this phone from the account, for a user who stays logged in but wants no notifications.
   *
   * Never rejects, and ends within three seconds.
   */
  async unregister(): Promise<void> {
    const outer = this.#begin();
    const remove = async (signal: AbortSignal): Promise<void> => {
      const path = { device_id: (await this.#load()).deviceId };
      await this.#http.delete('/api/v1/me/devices/{device_id}', { path, signal });
    };
    await within(UNREGISTER_TIMEOUT_MS, outer, remove).catch(() => undefined);
  }

  /**
   * Returns whether to show the data of a push, or an event of the client.
   *
   * The answer is `new` once for each `id`, whether the push or the event comes first. Data without an
   * `id` is from another sender, and always new. Never rejects.
   */
  async received(data: unknown): Promise<Received> {
    const { id, channel, epoch, seq } = (data ?? {}) as Record<string, unknown>;
    if (typeof id !== 'string') return 'new';
    // Before anything is awaited. An event has no epoch here, because its own position does not make it a repeat.
    const position = typeof channel === 'string' ? this.#client.position(channel) : null;
    if (position?.epoch === epoch && position && position.seq >= Number(seq)) return 'repeat';
    const kept = await this.#load();
    if (kept.ids.has(id)) return 'repeat';
    kept.ids.add(id);
    for (const oldest of kept.ids) if (kept.ids.size > MAX_IDS) kept.ids.delete(oldest);
    void this.#save(kept);
    return 'new';
  }

  #begin(): AbortSignal {
    this.#request.abort();
    this.#request = new AbortController();
    return this.#request.signal;
  }

  #load(): Promise<Kept> {
    this.#kept ??= this.#read();
    return this.#kept;
  }

  async #read(): Promise<Kept> {
    const read = () => this.#store.getItem(this.#storageKey);
    const found = parse(await within(STORE_TIMEOUT_MS, undefined, read).catch(() => null));
    if (found) return found;
    const made: Kept = { deviceId: newKey(), ids: new Set() };
    void this.#save(made);
    return made;
  }

  /** One write at a time; changes during a write go into the next one. Never rejects. */
  async #save(kept: Kept): Promise<void> {
    this.#isChanged = true;
    if (this.#isSaving) return;
    this.#isSaving = true;
    while (this.#isChanged) {
      this.#isChanged = false;
      const text = JSON.stringify({ ...kept, ids: [...kept.ids] });
      const write = () => this.#store.setItem(this.#storageKey, text);
      await within(STORE_TIMEOUT_MS, undefined, write).catch(() => undefined);
    }
    this.#isSaving = false;
  }
}

/** The stored data, or null if the text is something else. */
function parse(text: string | null): Kept | null {
  try {
    const { deviceId, ids } = JSON.parse(text ?? '') as Record<string, unknown>;
    const isKept = typeof deviceId === 'string' && /^[\w-]{1,64}$/.test(deviceId);
    return isKept && Array.isArray(ids) ? { deviceId, ids: new Set(ids.map(String)) } : null;
  } catch {
    return null;
  }
}
