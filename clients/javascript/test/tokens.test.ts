/** Tokens that expire, that are refused, and that are not available. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { authenticated, closing, connected, createApp, error, pass } from './app.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const auth = (token: string) => ({ type: 'auth', token });

/** Connects for an hour: the token is renewed after 58 minutes. */
async function connectForAnHour(app: ReturnType<typeof createApp>) {
  app.client.start();
  const here = await app.accept();
  // Nothing else happens, except pings.
  here.receive(connected(0, { seconds: 3600, ping: 100_000 }));
  return here;
}
const UNTIL_RENEWAL = 58 * 60_000;

test('without a token the client stops with login_required', async () => {
  const app = createApp({ tokens: [null] });
  app.client.start();
  await pass();
  expect(app.client.status).toEqual({ state: 'stopped', reason: 'login_required' });
  expect(app.sockets).toEqual([]);
});

test('a token that is not available now is requested again', async () => {
  const app = createApp({ tokens: [new Error('no network'), 'T2'] });
  app.client.start();
  await pass();
  expect(app.client.status).toMatchObject({ state: 'offline', reason: 'token_unavailable' });
  expect((await app.accept()).token).toBe('T2');
  expect(app.errors).toEqual(['no network']);
});

test('a source that throws, or returns something else than a token, is called again', async () => {
  const gives = [
    () => {
      throw new Error('a mistake');
    },
    () => Promise.resolve({ token: 'T1' } as unknown as string),
    () => Promise.resolve('T1'),
  ];
  const app = createApp({ get: () => (gives.shift() ?? gives[0])?.() ?? Promise.resolve('T1') });
  app.client.start();
  await app.accept();
  expect(app.errors).toEqual(['a mistake', 'token_invalid']);
});

test('a token that arrives too late opens nothing', async () => {
  const waiting: ((token: string) => void)[] = [];
  const app = createApp({ get: () => new Promise((resolve) => waiting.push(resolve)) });
  app.client.start();
  await pass();
  void app.client.stop();
  app.client.start();
  await pass();
  waiting[1]?.('T2');
  expect((await app.accept()).token).toBe('T2');
  waiting[0]?.('T1');
  await pass(1000);
  expect(app.sockets).toHaveLength(1);
});

test('a refused handshake needs a fresh token, and a lost connection does not', async () => {
  const app = createApp({ tokens: ['T1', 'T2'] });
  app.client.start();
  (await app.handshake()).end();
  const here = await app.accept();
  expect(here.token).toBe('T2');
  here.receive(connected(), closing('everyone_disconnected'));
  await app.accept();
  expect(app.asked).toEqual([false, true, false]);
});

test('an expired connection is replaced with a fresh token', async () => {
  const app = createApp({ tokens: ['T1', 'T2'] });
  (await app.connect()).receive(error('connection_expired'));
  await app.accept();
  expect(app.asked).toEqual([false, true]);
});

describe('on an open connection', () => {
  test('a newer token is sent before the end, and again before the next one', async () => {
    const app = createApp({ tokens: ['T1', 'T2', 'T3', 'T4'] });
    const here = await connectForAnHour(app);
    await pass(UNTIL_RENEWAL);
    expect(here.take()).toEqual([auth('T2')]);
    here.receive(authenticated(7200));
    await pass(7200_000 - 120_000 - 1);
    expect(here.take()).toEqual([]);
    await pass(1);
    expect(here.take()).toEqual([auth('T3')]);
    // No later than before: two hours are the limit of a connection.
    here.receive(authenticated(7200));
    await pass(119_000);
    expect(here.take()).toEqual([]);
    expect(app.asked).toEqual([false, true, true]);
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('503'))],
    ['gives the same token again', () => Promise.resolve('T1')],
    ['hangs', () => new Promise<string>(() => undefined)],
  ])('a source that %s is called again while time is left', async (_, failing) => {
    const gives = [() => Promise.resolve('T1'), failing, failing, () => Promise.resolve('T2')];
    const app = createApp({
      get: () => (gives.length > 1 ? gives.shift() : gives[0])?.() ?? failing(),
    });
    const here = await connectForAnHour(app);
    await pass(UNTIL_RENEWAL + 33_000);
    expect(here.take()).toEqual([auth('T2')]);
    expect(app.client.status).toEqual({ state: 'online' });
  });

  test.each(['busy', 'issuer_unreachable', 'token_expired', 'token_invalid', 'message_invalid'])(
    'a refusal with %s is the answer to `auth`, which is sent again',
    async (code) => {
      const app = createApp({ tokens: ['T1', 'T2', 'T3'] });
      const here = await connectForAnHour(app);
      await pass(UNTIL_RENEWAL);
      expect(here.take()).toEqual([auth('T2')]);
      here.receive(error(code));
      await pass(36_000);
      expect(here.take()).toEqual([auth('T3')]);
    },
  );

  test('a token without an answer is sent again', async () => {
    const app = createApp({ tokens: ['T1', 'T2', 'T3'] });
    const here = await connectForAnHour(app);
    await pass(UNTIL_RENEWAL + 36_000);
    expect(here.take()).toEqual([auth('T2'), auth('T3')]);
  });

  test('a session that has ended stops the client', async () => {
    const app = createApp({ tokens: ['T1', null] });
    const here = await connectForAnHour(app);
    await pass(UNTIL_RENEWAL);
    expect(app.client.status).toEqual({ state: 'stopped', reason: 'login_required' });
    expect(here.isLive).toBe(false);
  });

  test('a token of another identity begins another connection', async () => {
    const app = createApp({ tokens: ['T1', 'T2'] });
    const here = await connectForAnHour(app);
    await pass(UNTIL_RENEWAL);
    here.receive(error('identity_mismatch'));
    expect((await app.accept()).token).toBe('T2');
  });

  test('clocks that jump change nothing', async () => {
    const app = createApp({ tokens: ['T1', 'T2'] });
    vi.setSystemTime(Date.UTC(2100, 0));
    const here = await connectForAnHour(app);
    vi.setSystemTime(0);
    await pass(UNTIL_RENEWAL - 1);
    expect(here.take()).toEqual([]);
    vi.setSystemTime(Date.UTC(2050, 0));
    await pass(1);
    expect(here.take()).toEqual([auth('T2')]);
  });

  test.each([
    ['a month', 30 * 86_400],
    ['a century', 100 * 365 * 86_400],
  ])('an end after %s is not renewed at once', async (_, seconds) => {
    const app = createApp();
    app.client.start();
    (await app.accept()).receive(connected(0, { seconds, ping: 100_000 }));
    await pass(60_000);
    expect(app.asked).toEqual([false]);
  });
});

describe('logout', () => {
  test('ends the session, and the client with it', async () => {
    const logout = vi.fn(() => Promise.resolve());
    const app = createApp({ logout });
    const here = await app.connect();
    await app.client.logout();
    expect(logout).toHaveBeenCalledOnce();
    expect(here.isLive).toBe(false);
    expect(app.client.status).toEqual({ state: 'stopped', reason: 'logged_out' });
    expect(app.client.position('user')).toBeNull();
  });

  test.each([
    ['hangs', () => new Promise<void>(() => undefined), 'network'],
    ['rejects', () => Promise.reject(new Error('no')), 'no'],
    [
      'throws',
      () => {
        throw new Error('no');
      },
      'no',
    ],
  ])('ends when the session %s, which is reported', async (_, logout, code) => {
    const app = createApp({ logout });
    await app.connect();
    const ended = app.client.logout();
    expect(app.client.status).toEqual({ state: 'stopped', reason: 'logged_out' });
    await pass(15_000);
    await ended;
    expect(app.errors).toEqual([code]);
  });
});

test('no error and no status contains a token', async () => {
  const received: unknown[] = [];
  const app = createApp({
    tokens: ['SECRET'],
    platform: {
      openSocket: (address, token) => {
        throw new SyntaxError(`The URL '${address}&token=${token}' is invalid.`);
      },
    },
  });
  app.client.onError((each) => received.push(each, each.message, each.stack, each.cause));
  app.client.onStatus((status) => received.push(status));
  app.client.start();
  await pass(5000);
  expect(app.errors).toContain('socket_failed');
  expect(received.map((each) => `${String(each)} ${JSON.stringify(each)}`).join()).not.toContain(
    'SECRET',
  );
});
