/** A store of positions that tabs share: each of them writes what has moved in it, and nothing else. */

import type { Store } from './types.js';

type Entries = Readonly<Record<string, unknown>>;

/**
 * `storage` for the positions of several tabs.
 *
 * A tab knows nothing of the rooms of another, and less than it while it is hidden. So what it writes replaces
 * what is stored only where that differs from what it has read or written before.
 */
export function createSharedStore(storage: Storage): Store {
  const known = new Map<string, string | null>();

  function know(key: string, text: string | null): string | null {
    known.set(key, text);
    return text;
  }

  return {
    getItem: (key) => know(key, storage.getItem(key)),
    setItem(key, text) {
      const [stored, before] = [storage.getItem(key), known.get(key) ?? null];
      storage.setItem(key, JSON.stringify(merge(parse(stored), parse(before), parse(text))));
      know(key, text);
    },
    removeItem(key) {
      storage.removeItem(key);
      know(key, null);
    },
  };
}

/** Returns `stored` with what has changed from `before` to `now`; what is gone is undefined. */
function merge(stored: Entries, before: Entries, now: Entries): Entries {
  const merged: Record<string, unknown> = { ...stored };
  for (const name of Object.keys({ ...before, ...now })) {
    if (JSON.stringify(before[name]) !== JSON.stringify(now[name])) merged[name] = now[name];
  }
  return merged;
}

/** Nothing, of a text that is no object: it may be anything, also of another app. */
function parse(text: string | null): Entries {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value && !Array.isArray(value) ? (value as Entries) : {};
  } catch {
    return {};
  }
}
