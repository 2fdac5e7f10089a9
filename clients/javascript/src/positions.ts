/** How far the app was told of each channel, and the store that keeps it. */

import { VitrinaError } from './errors.js';
import { isPosition, type Published } from './frames.js';
import { createInbox, type Cause, type Details } from './inbox.js';
import { within } from './time.js';
import type { Timers } from './timers.js';
import type { Position, Store, Times } from './types.js';

interface Needs {
  readonly store: Store | undefined;
  readonly key: string;
  readonly times: Times;
  /** Timers that outlive connections. */
  readonly timers: Timers;
  readonly tell: (notice: () => void) => void;
  readonly app: {
    readonly event: (event: Published) => void;
    readonly refetch: (channel: string) => void;
    readonly fail: (error: unknown) => void;
  };
  /** Whether what could not be stored is not tried again. */
  readonly isStopped: () => boolean;
}

/** Calls of the store end in time; the app is told the first failure of several in a row. */
export function createPositions({ store, key, times, timers, tell, app, isStopped }: Needs) {
  /** Positions that the app was told of; those of the inbox are ahead while it is being told. */
  const told = new Map<string, Position>();
  const inbox = createInbox(move);
  /** Counts what makes events that the app was not told yet come again. */
  let rewinds = 0;
  /** The positions of an earlier run are known, or do not matter any more. */
  let isLoaded = false;
  let wanted: string | null = null;
  let written: string | null | undefined; // undefined: not known
  let writing: Promise<void> | null = null;
  let isFailing = false;

  function move(channel: string, position: Position | null, cause: Cause): void {
    if (!position) {
      told.delete(channel);
      return;
    }
    const mine = rewinds;
    tell(() => {
      if (mine !== rewinds || !inbox.positions.has(channel)) return; // stopped, or left, meanwhile
      told.set(channel, position);
      if (cause === 'refetch') app.refetch(channel);
      else if (cause) app.event(cause);
    });
  }

  /** Takes `connected`. */
  function begin(details: Details): void {
    isLoaded = true;
    inbox.connect(details);
  }

  /** Takes back what the app was not told yet: it comes again. */
  function rewind(isWhole?: boolean): void {
    rewinds += 1;
    inbox.restore(told, isWhole);
  }

  /** Forgets all channels; resolves when the store has nothing of them, or fails. */
  function forget(): Promise<void> {
    told.clear();
    isLoaded = true;
    rewind(true);
    return save();
  }

  // --- The store: read once, written after changes, and never believed blindly ---

  /** Resolves to a function that takes what was read. Never rejects. */
  async function load(): Promise<() => void> {
    let text: string | null = null;
    let isWhole = true;
    try {
      if (store) text = await within(times.storeTimeoutMs, undefined, () => store.getItem(key));
      written ??= text; // what has not changed is not written: another tab may have meanwhile
    } catch (error) {
      isWhole = false;
      report('The store of positions cannot be read.', error);
    }
    const found = text ? parse(text) : [];
    const positions = found.filter((entry): entry is [string, Position] => isPosition(entry[1]));
    if (positions.length < found.length) {
      isWhole = false;
      report('The stored positions are not as this client writes them.');
    }
    return () => {
      isLoaded = isWhole;
      inbox.restore(positions, isWhole);
      for (const [channel, position] of positions) told.set(channel, position);
    };
  }

  function saveSoon(): void {
    if (!timers.has('save')) timers.after('save', times.saveDelayMs, save);
  }

  /** Writes what the app was told of, and resolves when the store has it, or fails. Never rejects. */
  async function save(): Promise<void> {
    timers.cancel('save');
    timers.cancel('unsaved');
    if (!store || !isLoaded) return; // what is in the store is not known yet
    wanted = told.size ? JSON.stringify(Object.fromEntries(told)) : null;
    writing ??= write(store).finally(() => {
      writing = null;
    });
    await writing;
  }

  /** Writes follow each other; one that ends too late may have replaced a later one. */
  async function write(store: Store): Promise<void> {
    while (written !== wanted) {
      const text = wanted;
      let isLate = false;
      try {
        await within(times.storeTimeoutMs, undefined, async () => {
          try {
            await (text === null ? store.removeItem(key) : store.setItem(key, text));
          } finally {
            if (isLate) {
              written = undefined;
              void save();
            }
          }
        });
        written = text;
        isFailing = false;
      } catch (error) {
        isLate = true;
        report('Positions cannot be stored.', error);
        if (!isStopped()) timers.after('unsaved', times.maxRetryMs, save);
        return;
      }
    }
  }

  function report(sentence: string, cause?: unknown): void {
    if (!isFailing) app.fail(new VitrinaError('store_failed', sentence, { cause }));
    isFailing = true;
  }

  return {
    ...{ inbox, begin, rewind, forget, load, save, saveSoon },
    isLoaded: () => isLoaded,
    at: (channel: string) => told.get(channel) ?? null,
  };
}

/** The entries of a text; of one that this client does not write, as it may be another app's, a wrong one. */
function parse(text: string): [string, unknown][] {
  try {
    if (/^\s*\{/.test(text)) return Object.entries(JSON.parse(text) as object);
  } catch {
    // It is cut off, or no JSON.
  }
  return [['', null]];
}
