/** Connections that end, that are refused, and that are lost without notice. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { batch, closing, connected, createApp, event, memory, pass, recovered } from './app.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('after a dropped connection the next handshake has the positions', async () => {
  const app = createApp();
  const here = await app.connect(57);
  expect(here.address).toBe('wss://example.com/ws/user?batch=1');
  here.receive(event(58));
  here.end();
  const next = await app.accept();
  expect(next.address).toBe('wss://example.com/ws/user?batch=1&positions=user:e:58');
  next.receive(connected(60, { recovering: ['user'] }), event(59), event(60), recovered(60));
  expect(next.take()).toEqual([]);
  expect(app.seqs).toEqual([58, 59, 60]);
  expect(app.states).toEqual([
    ...['connecting', 'online', 'offline', 'connecting', 'catching_up', 'online'],
  ]);
});

test('connected and recovered in one frame lead to one state', async () => {
  const app = createApp();
  (await app.connect(57)).end();
  const next = await app.accept();
  next.receive(batch(connected(58, { recovering: ['user'] }), event(58), recovered(58)));
  expect(app.states.slice(-2)).toEqual(['connecting', 'online']);
});

test('a client never gives up, and its pauses grow to a maximum', async () => {
  const app = createApp();
  app.client.start();
  for (let attempt = 0; attempt < 12; attempt += 1) (await app.handshake()).end();
  const pauses = app.statuses.flatMap((status) =>
    status.state === 'offline' ? status.retryInMs : [],
  );
  expect(pauses.slice(0, 7)).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  (await app.accept()).receive(connected());
  expect(app.client.status).toEqual({ state: 'online' });
});

test('only a connection that lasted resets the pauses', async () => {
  const app = createApp();
  const pause = () =>
    app.statuses.flatMap((one) => (one.state === 'offline' ? one.retryInMs : [])).at(-1);
  (await app.connect()).end();
  for (const expected of [500, 1000, 2000]) {
    expect(pause()).toBe(expected);
    const here = await app.accept();
    here.receive(connected());
    here.end();
  }
  const here = await app.accept();
  here.receive(connected());
  await pass(10_000);
  here.end();
  expect(pause()).toBe(500);
});

describe('signs of life', () => {
  test('a connection that answers no ping is replaced', async () => {
    const app = createApp();
    const here = await app.connect();
    await pass(30_000);
    expect(here.takePings()).toEqual([{ type: 'ping' }]);
    await pass(10_000);
    expect(here.isLive).toBe(false);
    expect(app.client.status).toMatchObject({ state: 'offline', reason: 'timeout' });
    await app.accept();
  });

  test('a connection that answers pings is kept, and each frame delays the next ping', async () => {
    const app = createApp();
    const here = await app.connect();
    for (let count = 0; count < 50; count += 1) {
      await pass(30_000);
      expect(here.takePings()).toHaveLength(1);
      here.receive({ event: 'pong' });
    }
    await pass(29_000);
    here.receive(event(1));
    await pass(29_000);
    expect(here.takePings()).toEqual([]);
    expect(app.states).toEqual(['connecting', 'online']);
  });

  test('a platform that keeps the connection alive itself sends no pings', async () => {
    const app = createApp({ platform: { keepsAlive: true } });
    const here = await app.connect();
    await pass(600_000);
    expect(here.sent).toEqual([]);
  });

  test.each([0, -1, Number.NaN, null, 'soon'])(
    'an interval of %s is no flood of pings',
    async (ping) => {
      const app = createApp();
      app.client.start();
      const here = await app.accept();
      here.receive(connected(0, { ping: ping as number }));
      await pass(200_000);
      expect(here.sent).toEqual([]);
    },
  );
});

describe('a timeout ends', () => {
  test('a handshake', async () => {
    const app = createApp();
    app.client.start();
    await app.handshake();
    await pass(15_000);
    expect(app.client.status).toMatchObject({ state: 'offline', reason: 'timeout' });
    await app.accept();
  });

  test('a greeting', async () => {
    const app = createApp();
    app.client.start();
    const here = await app.accept();
    await pass(30_000);
    expect(here.isLive).toBe(false);
    await app.accept();
  });

  test('a request for a token, whose source is aborted', async () => {
    const app = createApp({ get: () => new Promise(() => undefined) });
    app.client.start();
    await pass(15_000);
    expect(app.client.status).toMatchObject({ state: 'offline', reason: 'token_unavailable' });
    expect(app.signals[0]?.aborted).toBe(true);
    await pass(16_000);
    expect(app.asked).toHaveLength(2);
  });
});

describe('close is not trusted', () => {
  test('a socket that ignores close in its handshake is closed when it opens', async () => {
    const app = createApp();
    app.makeStubborn();
    app.client.start();
    const here = await app.handshake();
    await app.client.stop();
    here.open();
    expect(here.isLive).toBe(false);
  });

  test('twelve quick switches of the app leave one connection at most', async () => {
    const app = createApp({ times: { backgroundGraceMs: 0 } });
    app.makeStubborn();
    app.client.start();
    for (let count = 0; count < 12; count += 1) {
      await pass(10);
      app.hints.background();
      await pass(10);
      app.hints.foreground();
    }
    await pass(10);
    for (const socket of app.sockets) socket.open();
    expect(app.live).toEqual([app.sockets.at(-1)]);
    app.live[0]?.receive(connected());
    expect(app.client.status).toEqual({ state: 'online' });
  });

  test('a socket that still receives after close ignores the frame and is closed again', async () => {
    const app = createApp();
    const here = await app.connect(0);
    here.isStubborn = true;
    await app.client.stop();
    here.readyState = 1;
    here.receive(event(1));
    expect(here.isLive).toBe(false);
    expect(app.seqs).toEqual([]);
  });

  test('a close that throws does no other harm', async () => {
    const app = createApp();
    const here = await app.connect();
    vi.spyOn(here, 'close').mockImplementation(() => {
      throw new Error('InvalidAccessError');
    });
    await app.client.stop();
    expect(app.client.status).toEqual({ state: 'stopped', reason: 'asked' });
  });

  test('a socket that reports an error and never its end is replaced', async () => {
    const app = createApp();
    const here = await app.connect();
    here.onerror?.({} as never);
    expect(here.isLive).toBe(false);
    await app.accept();
  });

  test('a send that throws replaces the connection', async () => {
    const app = createApp();
    const here = await app.connect();
    vi.spyOn(here, 'send').mockImplementation(() => {
      throw new Error('InvalidStateError');
    });
    await pass(30_000);
    expect(app.client.status).toMatchObject({ state: 'offline', reason: 'lost' });
  });
});

describe('hints', () => {
  test('a short visit to another app keeps the socket, and the return sends a ping', async () => {
    const app = createApp();
    const here = await app.connect();
    app.hints.background();
    await pass(19_000);
    app.hints.foreground();
    expect(here.takePings()).toHaveLength(1);
    here.receive({ event: 'pong' });
    await pass(19_000);
    expect(app.live).toEqual([here]);
    expect(app.states).toEqual(['connecting', 'online']);
  });

  test('repeated reports of the background do not delay the close', async () => {
    const app = createApp();
    await app.connect();
    app.hints.background();
    await pass(15_000);
    app.hints.background();
    await pass(5_000);
    expect(app.client.status).toEqual({ state: 'paused', reason: 'background' });
  });

  test('in the background there is no connection, and in the foreground there is one at once', async () => {
    const app = createApp();
    const here = await app.connect();
    app.hints.background();
    await pass(20_000);
    expect(here.isLive).toBe(false);
    app.hints.online();
    await pass(60_000);
    expect(app.client.status).toEqual({ state: 'paused', reason: 'background' });
    app.hints.foreground();
    expect(app.client.status).toEqual({ state: 'connecting' });
  });

  test('an app that is started in the background is paused after the grace period', async () => {
    const app = createApp();
    await app.connect();
    app.hints.background();
    await pass(20_000);
    app.client.start();
    (await app.accept()).receive(connected());
    expect(app.client.status).toEqual({ state: 'online' });
    await pass(20_000);
    expect(app.client.status).toEqual({ state: 'paused', reason: 'background' });
  });

  test.each(['foreground', 'online'] as const)('%s cuts a pause short', async (hint) => {
    const app = createApp({ times: { firstRetryMs: 600_000, maxRetryMs: 600_000 } });
    app.client.start();
    (await app.handshake()).end();
    await pass(1000);
    app.hints[hint]();
    expect(app.client.status).toEqual({ state: 'connecting' });
  });

  test('start cuts a pause short', async () => {
    const app = createApp({ times: { firstRetryMs: 600_000, maxRetryMs: 600_000 } });
    app.client.start();
    (await app.handshake()).end();
    app.client.start();
    expect(app.client.status.state).toBe('offline');
    await pass(1000);
    expect(app.client.status).toEqual({ state: 'connecting' });
  });

  test('another network makes an open connection send a ping immediately', async () => {
    const app = createApp();
    const here = await app.connect();
    app.hints.online();
    app.hints.online();
    expect(here.takePings()).toHaveLength(1);
  });

  test('hints restart no token, no handshake and no greeting', async () => {
    let give: (token: string) => void = () => undefined;
    const app = createApp({ get: () => new Promise((resolve) => (give = resolve)) });
    const flap = () => {
      for (const hint of ['offline', 'online', 'background', 'foreground'] as const)
        app.hints[hint]();
    };
    app.client.start();
    await pass();
    flap();
    expect(app.asked).toHaveLength(1);
    give('T1');
    const here = await app.handshake();
    flap();
    here.open();
    flap();
    here.receive(connected());
    expect(app.sockets).toHaveLength(1);
    expect(app.client.status).toEqual({ state: 'online' });
  });

  test('an unstable network neither resets the pauses nor makes an attempt for each hint', async () => {
    const app = createApp();
    app.client.start();
    for (let count = 0; count < 600; count += 1) {
      await pass(100);
      app.sockets.at(-1)?.end();
      app.hints.offline();
      app.hints.online();
    }
    expect(app.sockets.length).toBeLessThan(62);
    const pauses = app.statuses.flatMap((one) => (one.state === 'offline' ? one.retryInMs : []));
    expect(Math.max(...pauses)).toBe(15_000);
  });

  test('a device without a network changes only the reason', async () => {
    const app = createApp();
    app.client.start();
    (await app.handshake()).end();
    app.hints.offline();
    expect(app.client.status).toMatchObject({ state: 'offline', reason: 'no_network' });
    (await app.handshake()).end();
    expect(app.client.status).toMatchObject({ state: 'offline', reason: 'no_network' });
    (await app.accept()).receive(connected());
    expect(app.client.status).toEqual({ state: 'online' });
  });
});

describe('stopped', () => {
  test('a stopped client ignores hints, and can start again', async () => {
    const app = createApp();
    const here = await app.connect();
    const { hints } = app;
    await app.client.stop();
    expect([here.isLive, app.isWatched]).toEqual([false, false]);
    hints.foreground();
    hints.online();
    await pass(600_000);
    expect([app.client.status.state, app.sockets.length]).toEqual(['stopped', 1]);
    app.client.start();
    await app.accept();
  });

  test('a client that is started twice has one socket', async () => {
    const app = createApp();
    app.client.start();
    app.client.start();
    (await app.accept()).receive(connected());
    app.client.start();
    await pass(1000);
    expect(app.sockets).toHaveLength(1);
    expect(app.live[0]?.sent).toEqual([]);
  });

  test('a stop does not overwrite the reason of an earlier one', async () => {
    const app = createApp({ tokens: [null] });
    app.client.start();
    await pass();
    await app.client.stop();
    expect(app.client.status).toEqual({ state: 'stopped', reason: 'login_required' });
  });

  test('a stopped client has no timers', async () => {
    const app = createApp({
      get: () => new Promise(() => undefined),
      platform: { store: memory() },
    });
    app.client.start();
    await pass();
    await app.client.stop();
    await pass();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a close by the server', () => {
  test.each([
    ['token_expired', 'token_expired', true],
    ['everyone_disconnected', 'everyone_disconnected', false],
    ['too_slow', 'too_slow', false],
    ['later_reason', 'everyone_disconnected', false],
  ])('with %s is followed by another connection', async (given, reason, fresh) => {
    const app = createApp();
    const here = await app.connect();
    here.receive(closing(given));
    expect(here.isLive).toBe(false);
    expect(app.client.status).toMatchObject({ state: 'offline', reason });
    await app.accept();
    expect(app.asked).toEqual([false, fresh]);
  });

  test('with too_many_requests keeps the client away for a minute, despite hints', async () => {
    const app = createApp();
    (await app.connect()).receive(closing('too_many_requests'));
    app.hints.online();
    app.client.start();
    await pass(59_000);
    expect(app.sockets).toHaveLength(1);
    await app.accept();
  });

  test('of a disconnected account stops the client', async () => {
    const app = createApp();
    (await app.connect()).receive(closing('account_disconnected'));
    expect(app.client.status).toEqual({ state: 'stopped', reason: 'account_disconnected' });
    await pass(600_000);
    expect(app.sockets).toHaveLength(1);
  });

  test.each(['foreground', 'start'] as const)(
    'with too_many_connections pauses the client until %s',
    async (what) => {
      const app = createApp();
      (await app.connect()).receive(closing('too_many_connections'));
      expect(app.client.status).toEqual({ state: 'paused', reason: 'too_many_connections' });
      app.hints.online();
      await pass(600_000);
      expect(app.sockets).toHaveLength(1);
      if (what === 'start') app.client.start();
      else app.hints.foreground();
      (await app.accept()).receive(connected());
      expect(app.client.status).toEqual({ state: 'online' });
    },
  );
});
