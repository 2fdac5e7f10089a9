import { beforeEach, describe, expect, test, vi } from 'vitest';

import { Session } from '../src/session.js';
import { json, offline, problem, ScriptedFetch, ScriptedStore } from './scripted.js';

const HOUR = 3_600_000;
const ANNA = { id: 42, client_type: 'user' as const, email: 'anna@example.com' };

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const issued = (number: number, more: object = {}) =>
  json({
    access_token: `A${number}`,
    token_type: 'bearer',
    expires_in: 3600,
    refresh_token: `R${number}`,
    refresh_expires_in: 5_184_000,
    ...more,
  });

const loggedIn = (number = 1, more: object = {}) =>
  issued(number, { account: ANNA, device: `D${number}`, ...more });

const ended = () => problem(401, 'session_ended');

/** A session of a restarted phone, with the contents of `secrets`. */
function start(api: ScriptedFetch, secrets = new ScriptedStore()) {
  return new Session({ url: 'https://shop.example', secrets, fetch: api.fetch });
}

/** A session with the tokens A1 and R1; `api` continues with `replies`. */
async function begin(...replies: ConstructorParameters<typeof ScriptedFetch>) {
  const api = new ScriptedFetch(loggedIn(), ...replies);
  const secrets = new ScriptedStore();
  const session = start(api, secrets);
  await session.login('anna@example.com', 'secret');
  return { api, secrets, session };
}

const keptBy = (secrets: ScriptedStore) => JSON.stringify([...secrets.kept]);
const sentBy = (api: ScriptedFetch) => api.sent.map(({ body }) => body);

/** The outcome once every pause and timeout has passed. */
async function settled<T>(call: Promise<T>): Promise<PromiseSettledResult<T>> {
  const outcome = Promise.allSettled([call]);
  await vi.runAllTimersAsync();
  return (await outcome)[0];
}

describe('a login', () => {
  test('keeps the refresh token, and the access token in memory only', async () => {
    const { api, secrets, session } = await begin();
    expect(api.paths).toEqual(['POST /api/v1/auth/login']);
    expect(await session.get()).toBe('A1');
    expect(await session.account()).toEqual(ANNA);
    expect(keptBy(secrets)).toContain('R1');
    expect(keptBy(secrets)).not.toContain('A1');
  });

  test('sends the device of the last login, also after a logout, and the device name', async () => {
    const { api, session } = await begin(new Response(null, { status: 204 }), loggedIn(2));
    await session.logout();
    await session.login('anna@example.com', 'secret', { deviceName: 'Pixel 9' });
    expect(sentBy(api)).toEqual([
      { email: 'anna@example.com', password: 'secret' },
      undefined,
      { email: 'anna@example.com', password: 'secret', device: 'D1', device_name: 'Pixel 9' },
    ]);
  });

  test('is refused with a Problem, and is sent once', async () => {
    const api = new ScriptedFetch(problem(429, 'too_many_attempts', { 'Retry-After': '60' }));
    const login = start(api).login('anna@example.com', 'wrong');
    await expect(login).rejects.toMatchObject({ code: 'too_many_attempts', retryAfterSeconds: 60 });
  });

  test('that the app has sent itself begins a session too', async () => {
    const session = start(new ScriptedFetch());
    await session.begin((await loggedIn(7).json()) as Parameters<Session['begin']>[0]);
    expect(await session.get()).toBe('A7');
  });

  test('fails if the refresh token cannot be stored', async () => {
    const secrets = new ScriptedStore();
    secrets.broken.setItem = 'hangs';
    const session = start(new ScriptedFetch(loggedIn()), secrets);
    const { status } = await settled(session.login('anna@example.com', 'secret'));
    expect(status).toBe('rejected');
    expect(await session.get()).toBeNull();
  });
});

describe('a token', () => {
  test('is exchanged after a restart of the app', async () => {
    const { secrets } = await begin();
    const api = new ScriptedFetch(issued(2));
    const session = start(api, secrets);
    expect(await session.account()).toEqual(ANNA);
    expect(await Promise.all([session.get(), session.get({ fresh: true })])).toEqual(['A2', 'A2']);
    expect(sentBy(api)).toEqual([{ refresh_token: 'R1' }]);
    expect(keptBy(secrets)).toContain('R2');
  });

  test('is null if nobody has logged in, or something else is stored', async () => {
    const secrets = new ScriptedStore();
    for (const text of [null, 'null', '{"refreshToken":1}', '{"refreshToken":"R"}', 'R1', '']) {
      if (text !== null) secrets.kept.set('vitrina.session', text);
      expect(await start(new ScriptedFetch(), secrets).get()).toBeNull();
    }
  });

  test('is renewed ahead of time, with retries until that succeeds', async () => {
    const { api, session } = await begin(
      offline(),
      problem(503, 'busy'),
      problem(429, 'x'),
      issued(2),
    );
    await vi.advanceTimersByTimeAsync(HOUR - 60_000);
    for (const expected of ['A1', 'A1', 'A1', 'A1', 'A2']) {
      expect(await session.get()).toBe(expected);
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(sentBy(api).slice(1)).toEqual(Array(4).fill({ refresh_token: 'R1' }));
  });

  test.each([
    ['the network', offline()],
    ['a portal', new Response('<html>')],
    ['another API', json({ hello: 'world' })],
    ['a proxy', json({ message: 'Unauthorized' }, { status: 401 })],
    ['a busy server', problem(503, 'busy', { 'Retry-After': '1' })],
    ['a limit', json({ message: 'Too Many Requests' }, { status: 429 })],
  ])('that was refused is not returned again because of %s', async (_, failure) => {
    const { secrets, session } = await begin(failure, issued(2));
    await expect(session.get({ fresh: true })).rejects.toThrow();
    expect(keptBy(secrets)).toContain('R1');
    expect(await session.get({ fresh: true })).toBe('A2');
  });

  test('that has expired is not returned, even if the clock of the phone is wrong', async () => {
    const { session } = await begin(issued(2), issued(3));
    vi.setSystemTime(Date.now() - 24 * HOUR);
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(await session.get()).toBe('A2');
    vi.setSystemTime(Date.now() + 2 * HOUR);
    expect(await session.get()).toBe('A3');
  });

  test.each(['refresh_token_reused', 'session_ended', 'session_expired', 'refresh_token_invalid'])(
    'is null after %s, though the last one has not expired',
    async (code) => {
      const { secrets, session } = await begin(problem(401, code));
      expect(await session.get({ fresh: true })).toBeNull();
      expect(await session.get()).toBeNull();
      expect(await session.account()).toBeNull();
      expect(keptBy(secrets)).not.toContain('R1');
    },
  );

  test('comes from one exchange for all callers, which ends even if the server hangs', async () => {
    const { api, session } = await begin('hang', issued(2));
    const asked = Array.from({ length: 3 }, () => session.get({ fresh: true }));
    const outcome = await settled(Promise.allSettled(asked));
    expect(outcome).toMatchObject({ value: Array(3).fill({ status: 'rejected' }) });
    expect(await session.get({ fresh: true })).toBe('A2');
    expect(sentBy(api).slice(1)).toEqual([{ refresh_token: 'R1' }, { refresh_token: 'R1' }]);
  });

  test('is awaited until its caller aborts; other callers still get it', async () => {
    let answer: (response: Response) => void = () => undefined;
    const { session } = await begin(() => new Promise((resolve) => (answer = resolve)));
    const abort = new AbortController();
    const gone = expect(session.get({ fresh: true, signal: abort.signal })).rejects.toThrow('gone');
    const other = session.get({ fresh: true });
    abort.abort(new Error('gone'));
    await gone;
    await vi.advanceTimersByTimeAsync(0);
    answer(issued(2));
    expect(await other).toBe('A2');
  });
});

describe('a store', () => {
  test('has the next refresh token before the access token is used', async () => {
    const { api, secrets, session } = await begin(issued(2), issued(2));
    secrets.broken.setItem = 'fails';
    await expect(session.get({ fresh: true })).rejects.toMatchObject({ code: 'store_failed' });
    secrets.broken.setItem = undefined;
    expect(await session.get({ fresh: true })).toBe('A2');
    expect(sentBy(api).slice(1)).toEqual([{ refresh_token: 'R1' }, { refresh_token: 'R1' }]);
  });

  test.each([
    ['getItem', 'hangs'],
    ['getItem', 'fails'],
    ['setItem', 'hangs'],
    ['setItem', 'fails'],
  ] as const)(
    'whose %s %s for a minute means a new login, and twice is only a failure',
    async (name, how) => {
      const { secrets } = await begin();
      const again = start(new ScriptedFetch(() => issued(2)), secrets);
      secrets.broken[name] = how;
      for (const pauseMs of [50_000, 20_000]) {
        expect(await settled(again.get())).toMatchObject({ status: 'rejected' });
        await vi.advanceTimersByTimeAsync(pauseMs);
      }
      expect(await settled(again.get())).toEqual({ status: 'fulfilled', value: null });
      secrets.broken[name] = undefined;
      expect(await again.get()).toBe('A2');
    },
  );

  test('that has failed once is not blamed for a long time without a network', async () => {
    const { secrets, session } = await begin(issued(2), issued(2), issued(2), () =>
      Promise.reject(offline()),
    );
    secrets.broken.setItem = 'fails';
    for (let times = 0; times < 6; times += 1) {
      await expect(session.get({ fresh: true })).rejects.toThrow();
      await vi.advanceTimersByTimeAsync(20_000);
    }
  });

  test('that is late does not bring an old session back', async () => {
    const { secrets, session } = await begin(issued(2), new Response(null, { status: 204 }));
    secrets.broken.setItem = 'hangs';
    await settled(session.get({ fresh: true }));
    await session.logout();
    expect(secrets.kept.has('vitrina.session')).toBe(false);
    secrets.resume();
    await vi.advanceTimersByTimeAsync(0);
    expect(secrets.kept.has('vitrina.session')).toBe(false);
  });
});

describe('several tabs', () => {
  test('share the session: a refused tab uses the token that another tab has stored', async () => {
    const { secrets, session } = await begin(() => {
      secrets.kept.set('vitrina.session', JSON.stringify({ refreshToken: 'R5', account: ANNA }));
      return replies.shift() ?? expect.fail();
    });
    const replies = [ended(), issued(6)];
    expect(await session.get({ fresh: true })).toBe('A6');
  });

  test('do not use the tokens of another account', async () => {
    const { secrets, session } = await begin();
    const other = start(new ScriptedFetch(loggedIn(9, { account: { ...ANNA, id: 43 } })), secrets);
    await other.login('ben@example.com', 'secret');
    expect(await session.get({ fresh: true })).toBeNull();
    expect(await other.get()).toBe('A9');
    expect(keptBy(secrets)).toContain('R9');
  });
});

describe('a logout', () => {
  test('ends the session here and on the server', async () => {
    const { api, secrets, session } = await begin(new Response(null, { status: 204 }));
    await session.logout();
    expect(api.paths[1]).toBe('POST /api/v1/auth/logout');
    expect(api.sent[1]?.headers.get('Authorization')).toBe('Bearer A1');
    expect(keptBy(secrets)).not.toContain('R1');
    expect(await session.get({ fresh: true })).toBeNull();
    expect(await session.account()).toBeNull();
  });

  test('fetches a token if there is none, or if it is refused', async () => {
    const { secrets } = await begin();
    const api = new ScriptedFetch(issued(2), new Response(null, { status: 204 }));
    await start(api, secrets).logout();
    expect(api.sent[1]?.headers.get('Authorization')).toBe('Bearer A2');

    const more = [problem(401, 'token_expired'), issued(2), new Response(null, { status: 204 })];
    const refused = await begin(...more);
    await refused.session.logout();
    expect(refused.api.paths.slice(1)).toEqual([
      'POST /api/v1/auth/logout',
      'POST /api/v1/auth/refresh',
      'POST /api/v1/auth/logout',
    ]);
  });

  test('without a session sends nothing', async () => {
    await start(new ScriptedFetch()).logout();
  });

  test('ends in time even if everything hangs, and no token is returned any more', async () => {
    const { secrets, session } = await begin('hang', 'hang', 'hang');
    secrets.broken.removeItem = 'hangs';
    secrets.broken.getItem = 'hangs';
    const begun = Date.now();
    let after = Infinity;
    void session.logout().then(() => (after = Date.now() - begun));
    expect(await settled(session.get())).toEqual({ status: 'fulfilled', value: null });
    expect(after).toBeLessThanOrEqual(8000);
  });

  test('that is still under way does not end the next session', async () => {
    const { secrets, session } = await begin((sent) =>
      sent.url.endsWith('login') ? loggedIn(9) : new Response(null, { status: 204 }),
    );
    secrets.broken.getItem = 'hangs';
    const leaving = session.logout();
    secrets.broken.getItem = undefined;
    await session.login('anna@example.com', 'secret');
    secrets.resume();
    await leaving;
    expect(keptBy(secrets)).toContain('R9');
  });

  test('wins over an exchange that is under way, and so does the next login', async () => {
    let answer: (response: Response) => void = () => undefined;
    const { api, secrets, session } = await begin((sent) =>
      sent.url.endsWith('refresh')
        ? new Promise((resolve) => (answer = resolve))
        : sent.url.endsWith('login')
          ? loggedIn(9)
          : new Response(null, { status: 204 }),
    );
    const asked = session.get({ fresh: true });
    await vi.advanceTimersByTimeAsync(0);
    await session.logout();
    await session.login('anna@example.com', 'secret');
    answer(issued(2));
    expect(await asked).toBe('A9');
    expect(keptBy(secrets)).toContain('R9');
    expect(api.paths).toHaveLength(4);
  });
});
