/** The positions up to which the app has received each channel, and their store. */

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
  readonly notify: (notice: () => void) => void;
  readonly app: {
    readonly event: (event: Published) => void;
    readonly refetch: (channel: string) => void;
    readonly fail: (error: unknown) => void;
  };
  /** Whether the client has stopped: then a failed write is not repeated. */
  readonly isStopped: () => boolean;
}

/** Calls of the store have a timeout; of several failures in a row the app gets the first. */
export function createPositions({ store, key, times, timers, notify, app, isStopped }: Needs) {
  /** Positions of the events that the app has received; the inbox is ahead while callbacks wait. */
  const delivered = new Map<string, Position>();
  const inbox = createInbox(move);
  /** Counts rewinds, after which events that the app has not received yet come again. */
  let rewinds = 0;
  /** The positions of an earlier run are loaded, or not needed any more. */
  let isLoaded = false;
  let wanted: string | null = null;
  let written: string | null | undefined; // undefined: unknown
  let writing: Promise<void> | null = null;
  let isFailing = false;

  function move(channel: string, position: Position | null, cause: Cause): void {
    if (!position) {
      delivered.delete(channel);
      return;
    }
    const mine = rewinds;
    notify(() => {
      if (mine !== rewinds || !inbox.positions.has(channel)) return; // stopped, or left, meanwhile
      delivered.set(channel, position);
      if (cause === 'refetch') app.refetch(channel);
      else if (cause) app.event(cause);
    });
  }

  /** Handles `connected`. */
  function begin(details: Details): void {
    isLoaded = true;
    inbox.connect(details);
  }

  /** Moves back to the events that the app has received: later events come again. */
  function rewind(isWhole?: boolean): void {
    rewinds += 1;
    inbox.restore(delivered, isWhole);
  }

  /** Deletes all positions; resolves when the store has deleted them, or fails. */
  function forget(): Promise<void> {
    delivered.clear();
    isLoaded = true;
    rewind(true);
    return save();
  }

  // --- The store: read once, written after changes, validated ---

  /** Resolves to a function that restores the stored positions. Never rejects. */
  async function load(): Promise<() => void> {
    let text: string | null = null;
    let isWhole = true;
    try {
      if (store) text = await within(times.storeTimeoutMs, undefined, () => store.getItem(key));
      written ??= text; // unchanged positions are not written: another tab may have written newer ones
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
      for (const [channel, position] of positions) delivered.set(channel, position);
    };
  }

  function saveSoon(): void {
    if (!timers.has('save')) timers.after('save', times.saveDelayMs, save);
  }

  /** Stores the positions of the events that the app has received; resolves also if that fails. Never rejects. */
  async function save(): Promise<void> {
    timers.cancel('save');
    timers.cancel('unsaved');
    if (!store || !isLoaded) return; // the stored positions are not loaded yet
    wanted = delivered.size ? JSON.stringify(Object.fromEntries(delivered)) : null;
    writing ??= write(store).finally(() => {
      writing = null;
    });
    await writing;
  }

  /** Writes follow each other; a write that ends after its timeout may have replaced a later one. */
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
    at: (channel: string) => delivered.get(channel) ?? null,
  };
}

/** The entries of a stored text; a text of another app gives a wrong entry. */
function parse(text: string): [string, unknown][] {
  try {
    if (/^\s*\{/.test(text)) return Object.entries(JSON.parse(text) as object);
  } catch {
    // Cut off, or not JSON.
  }
  return [['', null]];
}
