/** The store of positions, which may fail, hang or return wrong data. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { at, connected, createApp, event, KEY, memory, pass, recovered, resume } from './app.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = <Value>() => new Promise<Value>(() => undefined);
const kept = (positions: Record<string, unknown>) => ({ [KEY]: JSON.stringify(positions) });

test('a restarted app continues from its stored positions', async () => {
  const store = memory();
  const app = createApp({ platform: { store } });
  (await app.connect(57)).receive(event(58));
  await pass(500);
  expect(store.items.get(KEY)).toBe('{"user":{"epoch":"e","seq":58}}');
  const restarted = createApp({ platform: { store } });
  restarted.client.start();
  const here = await restarted.accept();
  expect(here.address).toContain('&positions=user:e:58');
  here.receive(connected(60, { recovering: ['user'] }), event(59), event(60), recovered(60));
  expect(restarted.seqs).toEqual([59, 60]);
  expect(restarted.refetches).toEqual([]);
});

test('a new app stores its first positions before any event', async () => {
  const store = memory();
  await createApp({ platform: { store } }).connect(57);
  await pass(500);
  expect(store.items.get(KEY)).toBe('{"user":{"epoch":"e","seq":57}}');
});

test.each(['background', 'stop', 'drop'])('a %s stores at once', async (what) => {
  const store = memory();
  const app = createApp({ platform: { store }, times: { saveDelayMs: 600_000 } });
  const here = await app.connect(57);
  if (what === 'background') app.hints.background();
  else if (what === 'stop') await app.client.stop();
  else here.end();
  await pass();
  expect(store.items.get(KEY)).toContain('57');
});

test('an app without changes does not overwrite newer positions of another tab', async () => {
  const store = memory();
  const app = createApp({ platform: { store } });
  app.client.start();
  const here = await app.accept();
  store.items.set(KEY, JSON.stringify({ user: at(7) }));
  here.end();
  await pass(500);
  expect(store.items.get(KEY)).toBe('{"user":{"epoch":"e","seq":7}}');
});

test('different keys are independent', async () => {
  const store = memory();
  const app = createApp({ platform: { store }, storageKey: 'mine' });
  await app.connect(57);
  await app.client.stop();
  expect([...store.items.keys()]).toEqual(['mine']);
});

test('stored positions are not ahead of the events that the app has received', async () => {
  const store = memory();
  const app = createApp({ platform: { store } });
  const seen: unknown[] = [];
  app.client.on('*', () => seen.push(store.items.get(KEY)));
  const here = await app.connect(0);
  await app.client.stop();
  app.client.start();
  (await app.accept()).receive(connected(2, { recovering: ['user'] }), event(1), event(2));
  expect(here.isLive).toBe(false);
  expect(seen).toEqual([JSON.stringify({ user: at(0) }), JSON.stringify({ user: at(0) })]);
});

describe('stored data is validated', () => {
  test.each([
    'null',
    '[]',
    '7',
    '"text"',
    '{half a',
    '{"user":null}',
    '{"user":{"seq":3}}',
    '{"user":{"epoch":"","seq":3}}',
    '{"user":{"epoch":7,"seq":3}}',
    '{"user":{"epoch":"e","seq":-1}}',
    '{"user":{"epoch":"e","seq":1.5}}',
    '{"user":{"epoch":"e","seq":"3"}}',
    '{"user":{"epoch":"e","seq":9007199254740993}}',
    '{"__proto__":{"epoch":"e","seq":null}}',
  ])('%s', async (text) => {
    const store = memory({ [KEY]: text });
    const app = createApp({ platform: { store } });
    app.client.start();
    const here = await app.accept();
    expect(here.address).not.toContain('positions');
    here.receive(connected(57), event(58));
    expect([app.seqs, app.refetches]).toEqual([[58], ['user']]);
    expect(app.errors).toEqual(['store_failed']);
    await pass(500);
    expect(store.items.get(KEY)).toBe('{"user":{"epoch":"e","seq":58}}');
  });

  test('one bad position does not affect the others', async () => {
    const store = memory(kept({ user: at(58), 'user:1': { seq: 0 } }));
    const app = createApp({ platform: { store } });
    app.client.start();
    const here = await app.accept();
    here.receive(connected(0, { positions: { user: at(59), 'user:1': at(7) } }));
    expect(here.take()).toEqual([resume(58)]);
    expect(app.refetches).toEqual(['user:1']);
  });

  test('positions of another account are deleted, and channels are refetched', async () => {
    const store = memory(kept({ user: at(7), 'user:1': at(3), 'room:sale': at(9) }));
    const app = createApp({ platform: { store } });
    app.client.start();
    const here = await app.accept();
    const positions = { user: at(60), 'user:2': at(5) };
    here.receive(
      connected(0, { positions, recovering: ['user'] }),
      event(60),
      recovered(60),
      event(61),
    );
    expect([app.seqs, app.refetches, here.take()]).toEqual([[61], ['user', 'user:2'], []]);
    await pass(500);
    expect(JSON.parse(store.items.get(KEY) ?? '')).toEqual({ user: at(61), 'user:2': at(5) });
  });
});

describe('a store that cannot be read', () => {
  test.each([
    ['hangs', never<string>],
    ['rejects', () => Promise.reject(new Error('disk'))],
    [
      'throws',
      () => {
        throw new Error('denied');
      },
    ],
  ])('that %s: the past is refetched, and the client works', async (_, getItem) => {
    const app = createApp({ platform: { store: { ...memory(), getItem } } });
    app.client.start();
    await pass(5000);
    (await app.accept()).receive(connected(57));
    expect(app.client.status).toEqual({ state: 'online' });
    expect([app.errors, app.refetches]).toEqual([['store_failed'], ['user']]);
  });

  test('it is read again for the next attempt, unless newer positions exist', async () => {
    const store = memory(kept({ user: at(5) }));
    const getItem = vi.spyOn(store, 'getItem').mockImplementationOnce(never);
    const app = createApp({ platform: { store } });
    app.client.start();
    (await app.handshake()).end();
    expect((await app.handshake()).address).toContain('user:e:5');
    expect(getItem).toHaveBeenCalledTimes(2);
  });

  test('an answer after the timeout is ignored', async () => {
    let give: (text: string) => void = () => undefined;
    const store = {
      ...memory(),
      getItem: () => new Promise<string>((resolve) => (give = resolve)),
    };
    const app = createApp({ platform: { store } });
    app.client.start();
    await pass(5000);
    (await app.accept()).receive(connected(57));
    give('{"user":{"epoch":"e","seq":1}}');
    await pass();
    expect(app.client.position('user')).toEqual(at(57));
  });
});

describe('a store that cannot be written', () => {
  test.each([
    ['hangs', never<void>],
    ['rejects', () => Promise.reject(new Error('full'))],
    [
      'throws',
      () => {
        throw new Error('denied');
      },
    ],
  ])(
    'one that always %s is reported once, delays a stop for seconds, and nothing else',
    async (_, setItem) => {
      const app = createApp({ platform: { store: { ...memory(), setItem } } });
      const here = await app.connect(0);
      for (let seq = 1; seq <= 20; seq += 1) {
        here.receive(event(seq));
        await pass(2000);
      }
      expect([app.seqs.length, app.errors]).toEqual([20, ['store_failed']]);
      const stopped = app.client.stop();
      await pass(10_000);
      await stopped;
    },
  );

  test('a failed write is repeated later, without another event', async () => {
    const store = memory();
    vi.spyOn(store, 'setItem').mockRejectedValueOnce(new Error('full'));
    const app = createApp({ platform: { store } });
    const here = await app.connect(57);
    for (let waited = 0; waited < 31; waited += 1) {
      await pass(1000);
      here.receive({ event: 'pong' });
    }
    expect(store.items.get(KEY)).toContain('57');
  });

  test('an older write that ends late is replaced', async () => {
    const store = memory();
    const write = store.setItem.bind(store);
    let late: () => void = () => undefined;
    vi.spyOn(store, 'setItem').mockImplementationOnce(
      (key, value) =>
        new Promise((resolve) => {
          late = () => {
            void write(key, value);
            resolve();
          };
        }),
    );
    const app = createApp({ platform: { store } });
    const here = await app.connect(57);
    await pass(5500);
    here.receive(event(58));
    await pass(500);
    expect(store.items.get(KEY)).toContain('58');
    late();
    await pass();
    expect(store.items.get(KEY)).toContain('58');
  });

  test('writes follow each other', async () => {
    const store = memory();
    let running = 0;
    const setItem = vi.spyOn(store, 'setItem').mockImplementation(async () => {
      running += 1;
      expect(running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 800));
      running -= 1;
    });
    const app = createApp({ platform: { store } });
    const here = await app.connect(0);
    for (let seq = 1; seq <= 10; seq += 1) {
      here.receive(event(seq));
      await pass(600);
    }
    expect(setItem).toHaveBeenCalled();
    expect(app.errors).toEqual([]);
  });
});

describe('after a logout', () => {
  test('an app begins at the present positions of the channels', async () => {
    const store = memory();
    const app = createApp({ platform: { store } });
    await app.connect(57);
    await pass(500);
    await app.client.logout();
    expect(store.items.size).toBe(0);
    app.client.start();
    (await app.accept()).receive(connected(60), event(61));
    expect([app.seqs, app.refetches]).toEqual([[61], []]);
  });

  test.each([
    ['hangs', never<void>],
    ['rejects', () => Promise.reject(new Error('disk'))],
  ])(
    'a removal that %s has an end, and what was not removed is not read',
    async (_, removeItem) => {
      const store = { ...memory(kept({ user: at(57) })), removeItem };
      const app = createApp({ platform: { store } });
      await app.connect(57);
      const ended = app.client.logout();
      await pass(5000);
      await ended;
      expect(app.errors).toEqual(['store_failed']);
      app.client.start();
      expect((await app.accept()).address).not.toContain('positions');
    },
  );
});
