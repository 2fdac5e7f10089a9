/** A store of positions that tabs share: each tab writes only the positions that have moved in it. */

import type { Store } from './types.js';

type Entries = Readonly<Record<string, unknown>>;

/**
 * `storage` for the positions of several tabs.
 * A tab does not have the rooms of other tabs, and a hidden tab has older positions. So a write replaces
 * only the positions that differ from those that this tab has read or written before.
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

/** Returns `stored` with the changes from `before` to `now`; a deleted entry is undefined. */
function merge(stored: Entries, before: Entries, now: Entries): Entries {
  const merged: Record<string, unknown> = { ...stored };
  for (const name of Object.keys({ ...before, ...now })) {
    if (JSON.stringify(before[name]) !== JSON.stringify(now[name])) merged[name] = now[name];
  }
  return merged;
}

/** The entries of a text; none if it is not an object, as it may be another app's. */
function parse(text: string | null): Entries {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value && !Array.isArray(value) ? (value as Entries) : {};
  } catch {
    return {};
  }
}
