/** Apps may do anything in a callback. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { batch, closing, connected, createApp, event, memory, pass } from './app.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const throwing = () => {
  throw new Error('a mistake');
};

test('after a stop in a callback the remaining events of the frame come again', async () => {
  const app = createApp();
  app.client.on('product.approved', ({ seq }) => {
    if (seq === 2) void app.client.stop();
  });
  const here = await app.connect(0);
  here.receive(batch(event(1), event(2), event(3), event(4)));
  expect(app.seqs).toEqual([1, 2]);
  expect([here.isLive, app.client.status.state]).toEqual([false, 'stopped']);
  app.client.start();
  const next = await app.accept();
  expect(next.address).toContain('positions=user:e:2');
  next.receive(batch(connected(4, { recovering: ['user'] }), event(3), event(4)));
  expect(app.seqs).toEqual([1, 2, 3, 4]);
});

test('a stop and a start in a callback open one connection', async () => {
  const app = createApp();
  app.client.on('product.approved', ({ seq }) => {
    if (seq !== 2) return;
    void app.client.stop();
    app.client.start();
  });
  const here = await app.connect(0);
  here.receive(batch(event(1), event(2), event(3)));
  (await app.accept()).receive(connected(3, { recovering: ['user'] }), event(3));
  expect([app.seqs, app.live.length, here.isLive]).toEqual([[1, 2, 3], 1, false]);
});

test.each(['connecting', 'online', 'offline', 'catching_up'])(
  'a stop on %s is not undone',
  async (state) => {
    const app = createApp();
    app.client.onStatus((status) => {
      if (status.state === state) void app.client.stop();
    });
    app.client.start();
    if (state !== 'connecting') {
      const here = await app.accept();
      here.receive(connected(0), ...(state === 'catching_up' ? [event(2)] : []));
      here.end();
    }
    await pass(600_000);
    expect(app.client.status).toEqual({ state: 'stopped', reason: 'asked' });
    expect([app.states.at(-1), app.live]).toEqual(['stopped', []]);
  },
);

test('callbacks follow each other, and never run within another one', async () => {
  const app = createApp();
  let depth = 0;
  const nest = (act: () => void) => () => {
    expect((depth += 1)).toBe(1);
    act();
    depth -= 1;
  };
  app.client.on(
    '*',
    nest(() => void app.client.stop()),
  );
  app.client.onStatus(nest(() => undefined));
  (await app.connect(0)).receive(event(1));
  await pass();
  expect([app.errors, app.states.at(-1)]).toEqual([[], 'stopped']);
});

test('a start in the callback of stopped takes effect', async () => {
  const app = createApp();
  let restarts = 0;
  app.client.onStatus(({ state }) => {
    if (state === 'stopped' && restarts++ === 0) app.client.start();
  });
  (await app.connect()).receive(closing('account_disconnected'));
  (await app.accept()).receive(connected());
  expect(app.client.status).toEqual({ state: 'online' });
});

test('after a logout in a callback no more events are delivered', async () => {
  const app = createApp({ platform: { store: memory() } });
  app.client.on('*', () => void app.client.logout());
  (await app.connect(0)).receive(batch(event(1), event(2)));
  expect([app.seqs, app.client.position('user')]).toEqual([[1], null]);
});

test('after a leave in a callback the room delivers no more events', async () => {
  const app = createApp();
  const room = app.client.room('sale');
  void room.join();
  app.client.on('*', () => void room.leave());
  const here = await app.connect();
  const data = { room: 'sale', channel: 'room:sale', position: { epoch: 'e', seq: 0 } };
  here.receive(batch({ event: 'joined', data }, event(1, 'room:sale'), event(2, 'room:sale')));
  expect([app.seqs, app.client.position('room:sale')]).toEqual([[1], null]);
});

describe('a callback of the app', () => {
  test('that always throws is reported, and loses no event', async () => {
    const app = createApp({ tokens: ['T1'] });
    app.client.onStatus(throwing);
    app.client.on('*', throwing);
    app.client.onRefetch(throwing);
    app.client.onError(throwing);
    const here = await app.connect(0);
    here.receive(event(1), event(2));
    here.end();
    (await app.accept()).receive(connected(2));
    await pass();
    expect(app.seqs).toEqual([1, 2]);
    expect(app.client.status).toEqual({ state: 'online' });
    expect(new Set(app.errors)).toEqual(new Set(['a mistake']));
  });

  test('that rejects is reported, also without a listener for errors', async () => {
    const rejections = vi.fn();
    process.on('unhandledRejection', rejections);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const app = createApp();
    const reject = () => Promise.reject(new Error('later'));
    app.client.on('product.approved', reject);
    app.client.onStatus(reject);
    app.client.onError(reject);
    (await app.connect(0)).receive(event(1));
    await pass();
    expect(new Set(app.errors)).toEqual(new Set(['later']));
    expect(warn).not.toHaveBeenCalled();
    vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', rejections);
    expect(rejections).not.toHaveBeenCalled();
  });

  test('that throws something else than an error is reported as an error', async () => {
    const app = createApp();
    app.client.on('*', () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- apps do
      throw 'text';
    });
    (await app.connect(0)).receive(event(1));
    await pass();
    expect(app.errors).toEqual(['text']);
  });

  test('that never ends delays nothing', async () => {
    const app = createApp();
    app.client.on('product.approved', () => new Promise(() => undefined));
    (await app.connect(0)).receive(event(1), event(2));
    expect(app.seqs).toEqual([1, 2]);
  });

  test('that throws in `watch`, or in its unsubscribe function, is reported', async () => {
    const app = createApp({ platform: { watch: () => throwing } });
    await app.connect();
    await app.client.stop();
    const other = createApp({ platform: { watch: throwing } });
    await other.connect();
    await pass();
    expect([app.errors, other.errors]).toEqual([['a mistake'], ['a mistake']]);
    expect(other.client.status).toEqual({ state: 'online' });
  });
});

describe('a function that the machine calls may call the client:', () => {
  test('the source of tokens', async () => {
    const app = createApp({
      get: () => {
        void app.client.stop();
        return Promise.resolve('T1');
      },
    });
    app.client.start();
    await pass(60_000);
    expect([app.sockets, app.client.status.state]).toEqual([[], 'stopped']);
  });

  test('the source of tokens, when its request is aborted', async () => {
    const app = createApp({
      get: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            app.client.start();
            resolve('T1');
          });
        }),
    });
    app.client.start();
    await pass();
    void app.client.stop();
    await pass(1000);
    expect(app.client.status).toEqual({ state: 'connecting' });
    void app.client.stop();
  });

  test('the platform', async () => {
    const app = createApp();
    const here = await app.connect();
    vi.spyOn(here, 'close').mockImplementation(() => {
      here.readyState = 3;
      app.client.start();
      here.onclose?.({} as never); // at once, as no browser does
    });
    await app.client.stop();
    await app.accept();
    expect(app.live).toHaveLength(1);
  });
});

test('listeners may be added and removed while listeners are called', async () => {
  const app = createApp();
  const called: string[] = [];
  const stopSecond: (() => void)[] = [];
  app.client.on('*', () => {
    called.push('first');
    stopSecond[0]?.();
    app.client.on('*', () => called.push('third'));
  });
  stopSecond[0] = app.client.on('*', () => called.push('second'));
  (await app.connect(0)).receive(event(1));
  expect(called).toEqual(['first']);
});
