/** A text in a store that may fail, hang, or be late. */

import { VitrinaError } from './errors.js';
import { stopwatch, within } from './time.js';
import type { Store } from './types.js';

export interface SafeTimes {
  /** For a call of the store, in milliseconds. */
  readonly storeTimeoutMs: number;
  /** A store that has failed repeatedly for so many milliseconds has failed permanently. */
  readonly storePatienceMs: number;
}

/** Up to this number of failures in a row may have a temporary cause, however long ago the first one was. */
const MAX_PASSING_FAILURES = 2;

type Kind = 'read' | 'write';

/** Each call has a timeout, and rejects with `store_failed` if the store has failed. */
export class Safe {
  #latest: string | null = null;
  #writes = 0;
  /** Failures by kind of call, because a full store can still be read: how often and since when. */
  readonly #failing = new Map<Kind, { count: number; age: () => number }>();

  constructor(
    readonly store: Store,
    readonly key: string,
    readonly times: SafeTimes,
  ) {}

  /** Whether the store has failed permanently. */
  get hasFailedForGood(): boolean {
    return [...this.#failing.values()].some(
      ({ count, age }) => count > MAX_PASSING_FAILURES && age() >= this.times.storePatienceMs,
    );
  }

  read(): Promise<string | null> {
    return this.#settle('read', () => this.store.getItem(this.key));
  }

  /** Replaces the text; `null` removes it. */
  write(text: string | null): Promise<void> {
    this.#latest = text;
    this.#writes += 1;
    return this.#settle('write', () => this.#put(text, this.#writes));
  }

  async #put(text: string | null, number: number): Promise<void> {
    await (text === null ? this.store.removeItem(this.key) : this.store.setItem(this.key, text));
    // This write was late, and has replaced a later one.
    if (number !== this.#writes) await this.#put(this.#latest, this.#writes);
  }

  async #settle<T>(kind: Kind, work: () => T | Promise<T>): Promise<T> {
    try {
      const done = await within(this.times.storeTimeoutMs, undefined, work);
      this.#failing.delete(kind);
      return done;
    } catch (cause) {
      const { count, age } = this.#failing.get(kind) ?? { count: 0, age: stopwatch() };
      this.#failing.set(kind, { count: count + 1, age });
      throw new VitrinaError('store_failed', 'The store of the session fails.', { cause });
    }
  }
}
