/** Tabs store their positions in one place, and no tab overwrites those of another. */

import { expect, it } from 'vitest';

import { createSharedStore } from '../src/shared-store.js';
import { memory } from '../src/testing.js';

const KEY = 'positions';

function browser(stored?: string) {
  const storage = memory() as Storage;
  if (stored !== undefined) storage.setItem(KEY, stored);
  const open = () => {
    const store = createSharedStore(storage);
    void store.getItem(KEY);
    return (positions: object) => void store.setItem(KEY, JSON.stringify(positions));
  };
  return { storage, open, stored: () => JSON.parse(String(storage.getItem(KEY))) as unknown };
}

it('keeps the room of another tab, also one that has moved since it was read', () => {
  const { open, stored } = browser('{"user":1,"room:sale":1}');
  const [one, two] = [open(), open()];
  two({ user: 1, 'room:sale': 5, 'room:news': 2 });
  one({ user: 3, 'room:sale': 1 });
  expect(stored()).toEqual({ user: 3, 'room:sale': 5, 'room:news': 2 });
});

it('deletes a room that a tab has left, and no tab restores it', () => {
  const { open, stored } = browser('{"user":1,"room:sale":1}');
  const [one, two] = [open(), open()];
  two({ user: 1 });
  one({ user: 2, 'room:sale': 1 });
  expect(stored()).toEqual({ user: 2 });
});

it('deletes everything with the session', () => {
  const { storage, open, stored } = browser('{"user":1}');
  const tab = open();
  const store = createSharedStore(storage);
  void store.removeItem(KEY);
  expect(stored()).toBeNull();
  tab({ user: 1 });
  expect(stored()).toEqual({});
});

it.each(['', 'null', '[1]', '7', '{', '"text"'])('replaces %s, which it did not write', (text) => {
  const { open, stored } = browser(text);
  open()({ user: 1 });
  expect(stored()).toEqual({ user: 1 });
});
