import { beforeEach, describe, expect, test, vi } from 'vitest';

import { Push } from '../src/push.js';
import type { Position } from '../src/types.js';
import { httpClient, offline, problem, ScriptedFetch, ScriptedStore } from './scripted.js';

const KEY = 'vitrina:push';
const PHONE = { platform: 'fcm', token: 'a'.repeat(40), app_version: '1.4.0' } as const;
const PUSH = { id: 'E7', channel: 'user', epoch: 'e1', seq: '7' };
const EVENT = { event: 'product.approved', id: 'E7', channel: 'user', seq: 7, data: {} };

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const done = () => new Response(null, { status: 204 });

/** An app that was started with what the store has. */
function start(
  api = new ScriptedFetch(),
  store = new ScriptedStore(),
  positions: Record<string, Position> = {},
) {
  const position = (channel: string) => positions[channel] ?? null;
  return { api, store, push: new Push({ client: httpClient(api, { position }), store }) };
}

/** The outcome once every pause and timeout has passed; the time that took is `after`. */
async function settled<T>(call: Promise<T>): Promise<{ done?: T; error?: unknown; after: number }> {
  const begun = Date.now();
  const outcome = call.then(
    (result) => ({ done: result, after: Date.now() - begun }),
    (error: unknown) => ({ error, after: Date.now() - begun }),
  );
  await vi.runAllTimersAsync();
  return outcome;
}

describe('a registration', () => {
  test('describes the phone, with its language and time zone', async () => {
    const phone = {
      locale: 'de-AT',
      timeZone: 'Europe/Vienna',
    } as Intl.ResolvedDateTimeFormatOptions;
    const format = { resolvedOptions: () => phone } as Intl.DateTimeFormat;
    vi.spyOn(Intl, 'DateTimeFormat').mockImplementation(function () {
      return format;
    });
    const { api, push } = start(new ScriptedFetch(done(), done()));
    await push.register(PHONE);
    expect(api.sent[0]?.body).toEqual({ ...PHONE, locale: 'de-AT', timezone: 'Europe/Vienna' });
    await push.register({ ...PHONE, locale: 'ru-RU', timezone: 'Europe/Moscow' });
    expect(api.sent[1]?.body).toMatchObject({ locale: 'ru-RU', timezone: 'Europe/Moscow' });
  });

  test('keeps the name of the installation', async () => {
    const first = start(new ScriptedFetch(done(), done()));
    await first.push.register(PHONE);
    await first.push.register(PHONE);
    const second = start(new ScriptedFetch(done()), first.store);
    await second.push.register(PHONE);
    const [name] = first.api.paths;
    expect(name).toMatch(/^PUT \/api\/v1\/me\/devices\/[\w-]{8,64}$/);
    expect([...first.api.paths, ...second.api.paths]).toEqual([name, name, name]);
  });

  test.each([['no JSON'], ['null'], ['{"deviceId":"../me","ids":[]}'], ['{"deviceId":"A"}']])(
    'takes no name from a store that has %s',
    async (text) => {
      const store = new ScriptedStore();
      store.kept.set(KEY, text);
      const { api, push } = start(new ScriptedFetch(done()), store);
      await push.register(PHONE);
      expect(api.paths[0]).toMatch(/devices\/\w{8,64}$/);
    },
  );

  test.each(['hangs', 'fails'] as const)('works with a store that %s', async (how) => {
    const store = new ScriptedStore();
    store.broken.getItem = store.broken.setItem = how;
    const { api, push } = start(new ScriptedFetch(done(), done()), store);
    expect(await settled(push.register(PHONE))).toMatchObject({ done: undefined });
    await push.register(PHONE);
    expect(api.paths[1]).toBe(api.paths[0]);
  });

  test('rejects if the deployment has no push', async () => {
    const { push } = start(new ScriptedFetch(problem(404, 'push_off')));
    await expect(push.register(PHONE)).rejects.toMatchObject({ code: 'push_off' });
  });

  test('aborts an earlier one, so that an old token never replaces a newer one', async () => {
    const { api, push } = start(new ScriptedFetch('hang', done()));
    const old = push.register({ ...PHONE, token: 'b'.repeat(40) }).catch((error: unknown) => error);
    await vi.waitFor(() => {
      expect(api.sent).toHaveLength(1);
    });
    await push.register(PHONE);
    expect(await old).toMatchObject({ name: 'AbortError' });
    expect(api.sent).toHaveLength(2);
  });
});

describe('without notifications', () => {
  test('the phone is removed under its name', async () => {
    const { api, push } = start(new ScriptedFetch(done(), done()));
    await push.register(PHONE);
    await push.unregister();
    expect(api.paths[1]).toBe(api.paths[0]?.replace('PUT', 'DELETE'));
  });

  test('a registration that is under way is aborted', async () => {
    const { api, push } = start(new ScriptedFetch('hang', done()));
    const registering = push.register(PHONE).catch((error: unknown) => error);
    await vi.waitFor(() => {
      expect(api.sent).toHaveLength(1);
    });
    await push.unregister();
    expect(await registering).toMatchObject({ name: 'AbortError' });
    expect(api.paths[1]).toContain('DELETE');
  });

  test.each([
    ['has no network', offline],
    ['is refused', () => problem(401, 'token_revoked')],
    ['hears nothing', () => 'hang' as const],
  ])('an app that %s waits for three seconds at most', async (_, reply) => {
    const replies = Array.from({ length: 20 }, () => reply());
    const { after, error } = await settled(start(new ScriptedFetch(...replies)).push.unregister());
    expect(error).toBeUndefined();
    expect(after).toBeLessThanOrEqual(3000);
  });

  test('a store that hangs delays it no longer', async () => {
    const store = new ScriptedStore();
    store.broken.getItem = 'hangs';
    const { after, error } = await settled(
      start(new ScriptedFetch('hang'), store).push.unregister(),
    );
    expect(error).toBeUndefined();
    expect(after).toBeLessThanOrEqual(3000);
  });
});

describe('a push or an event', () => {
  test('is new once, by a push or by the socket, and after a restart', async () => {
    const { push, store } = start();
    expect(await push.received(PUSH)).toBe('new');
    expect(await push.received(PUSH)).toBe('repeat');
    expect(await push.received(EVENT)).toBe('repeat');
    const restarted = start(undefined, store).push;
    expect(await restarted.received(EVENT)).toBe('repeat');
    expect(await restarted.received({ ...EVENT, id: 'E8', seq: 8 })).toBe('new');
    expect(await restarted.received({ ...PUSH, id: 'E8', seq: '8' })).toBe('repeat');
  });

  test.each([
    ['new', 'is before the push', { epoch: 'e1', seq: 6 }],
    ['repeat', 'is that of the push', { epoch: 'e1', seq: 7 }],
    ['repeat', 'is after the push', { epoch: 'e1', seq: 100 }],
    ['new', 'counts in another epoch', { epoch: 'e2', seq: 100 }],
  ])('is %s if the position %s', async (result, _, position) => {
    expect(await start(undefined, undefined, { user: position }).push.received(PUSH)).toBe(result);
  });

  test('is new in an event that has just moved the position', async () => {
    const { push } = start(undefined, undefined, { user: { epoch: 'e1', seq: 7 } });
    expect(await push.received(EVENT)).toBe('new');
  });

  test.each([null, undefined, 'text', 7, {}, { id: 7 }, { title: 'Sale' }])(
    'is always new if another sender sends %j',
    async (data) => {
      const { push } = start();
      expect([await push.received(data), await push.received(data)]).toEqual(['new', 'new']);
    },
  );

  test.each([{ id: 'E7' }, { id: 'E7', channel: 7, epoch: null, seq: {} }])(
    'is recognised by its id if the rest is %j',
    async (data) => {
      const { push } = start(undefined, undefined, { user: { epoch: 'e1', seq: 7 } });
      expect([await push.received(data), await push.received(data)]).toEqual(['new', 'repeat']);
    },
  );

  test.each(['hangs', 'fails'] as const)(
    'gets its answer in time with a store that %s',
    async (how) => {
      const store = new ScriptedStore();
      store.broken.getItem = store.broken.setItem = how;
      const { push } = start(undefined, store);
      const first = await settled(push.received(PUSH));
      expect(first.done).toBe('new');
      expect(first.after).toBeLessThanOrEqual(2000);
      expect(await push.received(PUSH)).toBe('repeat');
    },
  );

  test('is remembered by id, two hundred in all, with one write at a time', async () => {
    const { push, store } = start();
    const setItem = vi.spyOn(store, 'setItem');
    const ids = Array.from({ length: 300 }, (_, index) => `E${index}`);
    await Promise.all(ids.map((id) => push.received({ id })));
    await vi.runAllTimersAsync();
    expect(setItem.mock.calls.length).toBeLessThan(5);
    const restarted = start(undefined, store).push;
    expect(await restarted.received({ id: 'E100' })).toBe('repeat');
    expect(await restarted.received({ id: 'E99' })).toBe('new');
    expect(store.kept.get(KEY)?.length).toBeLessThan(3000);
  });
});
