/** The store of positions: read once, written after changes, and never believed blindly. */

import { VitrinaError } from './errors.js';
import { isPosition } from './frames.js';
import { within } from './time.js';
import type { Position, Store } from './types.js';

export interface Loaded {
  readonly positions: readonly (readonly [string, Position])[];
  /** False if there may have been positions that could not be read. */
  readonly isWhole: boolean;
}

const NOTHING: Loaded = { positions: [], isWhole: true };

export type Positions = ReturnType<typeof createPositions>;

/** Calls of the store end after `timeoutMs`; `fail` is given the first failure of several in a row. */
export function createPositions(
  store: Store | undefined,
  key: string,
  timeoutMs: number,
  fail: (error: unknown) => void,
) {
  let wanted: string | null = null;
  let written: string | null | undefined; // undefined: not known
  let writing: Promise<boolean> | null = null;
  let isFailing = false;

  /** Never rejects. What is not a position is left out. */
  async function load(): Promise<Loaded> {
    if (!store) return NOTHING;
    try {
      const text = await within(timeoutMs, undefined, () => store.getItem(key));
      written ??= text; // what has not changed is not written: another tab may have meanwhile
      return text ? parse(text) : NOTHING;
    } catch (error) {
      report('The store of positions cannot be read.', error);
      return { ...NOTHING, isWhole: false };
    }
  }

  function parse(text: string): Loaded {
    let entries: [string, unknown][] | null = null;
    try {
      // Of an array or a number there are no entries that are positions.
      entries = Object.entries(JSON.parse(text) as object);
    } catch {
      // It may be anything, also of another app.
    }
    const positions = (entries ?? []).filter((entry): entry is [string, Position] =>
      isPosition(entry[1]),
    );
    const isWhole = /^\s*\{/.test(text) && positions.length === entries?.length;
    if (!isWhole) report('The stored positions are not as this client writes them.');
    return { positions, isWhole };
  }

  /**
   * Writes positions, or removes them if `text` is null. Never rejects.
   *
   * Resolves to whether the store has them. Writes follow each other; one that ended too late may
   * have replaced a later one, so the latest is written again.
   */
  function save(text: string | null): Promise<boolean> {
    wanted = text;
    writing ??= write().finally(() => {
      writing = null;
    });
    return writing;
  }

  async function write(): Promise<boolean> {
    while (store && written !== wanted) {
      const text = wanted;
      let isLate = false;
      try {
        await within(timeoutMs, undefined, () => {
          const call = async (): Promise<void> => {
            await (text === null ? store.removeItem(key) : store.setItem(key, text));
          };
          return call().finally(() => {
            if (!isLate) return;
            written = undefined;
            void save(wanted);
          });
        });
        written = text;
        isFailing = false;
      } catch (error) {
        isLate = true;
        report('Positions cannot be stored.', error);
        return false;
      }
    }
    return true;
  }

  function report(sentence: string, cause?: unknown): void {
    if (!isFailing) fail(new VitrinaError('store_failed', sentence, { cause }));
    isFailing = true;
  }

  return { load, save };
}
