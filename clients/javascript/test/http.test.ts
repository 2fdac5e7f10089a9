import { beforeEach, describe, expect, test, vi } from 'vitest';

import { createHttp, type Http } from '../src/http.js';
import type { Tokens } from '../src/types.js';
import { httpClient, json, offline, problem, ScriptedFetch } from './scripted.js';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const tokens = (...given: (string | null)[]) => {
  const get = vi.fn<Tokens['get']>();
  for (const token of given) get.mockResolvedValueOnce(token);
  return { get: get.mockResolvedValue(given.at(-1) ?? null) };
};

function http(api: ScriptedFetch, given: Parameters<typeof httpClient>[1] = {}): Http {
  return createHttp(httpClient(api, { tokens: tokens('T1'), ...given }));
}

/** The outcome once every pause and timeout has passed; the time that took is `after`. */
async function settled<T>(call: Promise<T>): Promise<{ done?: T; error?: unknown; after: number }> {
  const begun = Date.now();
  const outcome = call.then(
    (done) => ({ done, after: Date.now() - begun }),
    (error: unknown) => ({ error, after: Date.now() - begun }),
  );
  await vi.runAllTimersAsync();
  return outcome;
}

describe('a request', () => {
  test('has the token, the path, the query, the version and the body', async () => {
    const api = new ScriptedFetch(json({ version: 4 }, { headers: { ETag: '"4"' } }));
    const answer = await http(api).put('/api/v1/products/{product_id}', {
      path: { product_id: 7 },
      ifMatch: 3,
      body: { product_name: 'Dress' },
    });
    expect(answer).toEqual({ status: 200, data: { version: 4 }, etag: '"4"' });
    expect(api.paths).toEqual(['PUT /api/v1/products/7']);
    const [{ headers, body } = expect.fail()] = api.sent;
    expect(body).toEqual({ product_name: 'Dress' });
    expect([...headers]).toEqual([
      ['authorization', 'Bearer T1'],
      ['content-type', 'application/json'],
      ['if-match', '"3"'],
    ]);
  });

  test('without an answer body resolves to undefined', async () => {
    const api = new ScriptedFetch(new Response(null, { status: 204 }));
    const answer = await http(api).delete('/api/v1/me/sessions/{session_id}', {
      path: { session_id: 'a/b?' },
    });
    expect(answer).toEqual({ status: 204, data: undefined, etag: null });
    expect(api.paths).toEqual(['DELETE /api/v1/me/sessions/a%2Fb%3F']);
  });

  test('for a list is not older than the last event, unless the app says otherwise', async () => {
    const api = new ScriptedFetch(() => json({ items: [] }));
    const position = vi.fn(() => ({ epoch: '3f0c9a1e', seq: 58 }));
    const { get } = http(api, { position, as: 'shop' });
    await get('/api/v1/products', { query: { status: 'approved' } });
    await get('/api/v1/products', { query: { since: '3f0c9a1e:60' } });
    await get('/api/v1/events', { query: { channel: 'shop' } });
    expect(api.paths).toEqual([
      'GET /api/v1/products?since=3f0c9a1e%3A58&status=approved',
      'GET /api/v1/products?since=3f0c9a1e%3A60',
      'GET /api/v1/events?channel=shop',
    ]);
    expect(position).toHaveBeenCalledWith('shop');
  });

  test('without a login is sent without a token', async () => {
    const api = new ScriptedFetch(json({ items: [] }), problem(401, 'token_missing'));
    const { get } = http(api, { tokens: tokens(null) });
    await get('/api/v1/products');
    expect(api.sent[0]?.headers.has('Authorization')).toBe(false);
    await expect(get('/api/v1/me')).rejects.toMatchObject({ code: 'login_required' });
  });
});

describe('a refusal', () => {
  test('is a Problem', async () => {
    const api = new ScriptedFetch(problem(409, 'already_moderated'));
    const call = http(api).post('/api/v1/admin/products/{product_id}/reject', {
      path: { product_id: 7 },
      body: { moderation_notes: 'Blurred pictures' },
    });
    await expect(call).rejects.toMatchObject({
      name: 'Problem',
      status: 409,
      code: 'already_moderated',
      title: 'already_moderated',
      detail: null,
      retryAfterSeconds: null,
    });
  });

  test.each(['token_expired', 'token_revoked'])(
    '%s is answered with a newer token',
    async (code) => {
      const api = new ScriptedFetch(problem(401, code), json({}));
      const given = tokens('T1', 'T2');
      await http(api, { tokens: given }).get('/api/v1/me');
      expect(given.get.mock.calls.map(([{ fresh }]) => fresh)).toEqual([false, true]);
      expect(api.sent[1]?.headers.get('Authorization')).toBe('Bearer T2');
    },
  );

  test.each([
    ['the newer token is refused too', tokens('T1', 'T2')],
    ['there is no newer one', tokens('T1', null)],
  ])('of a token means login_required if %s', async (_, given) => {
    const api = new ScriptedFetch(() => problem(401, 'token_revoked'));
    const call = http(api, { tokens: given }).get('/api/v1/me');
    await expect(call).rejects.toMatchObject({ code: 'login_required' });
    expect(given.get).toHaveBeenCalledTimes(2);
  });

  test('of a token is remembered until a newer token is available', async () => {
    const api = new ScriptedFetch(problem(401, 'token_expired'), json({}));
    const get = vi.fn<Tokens['get']>().mockResolvedValueOnce('T1').mockRejectedValueOnce(offline());
    get.mockResolvedValue('T2');
    await settled(http(api, { tokens: { get } }).get('/api/v1/me'));
    expect(get.mock.calls.map(([{ fresh }]) => fresh)).toEqual([false, true, true]);
  });
});

describe('a call without a usable answer', () => {
  const submit = { body: { product_name: 'Dress' } };
  const portal = () => new Response('<html>Log in to the hotel</html>');

  test.each([
    ['the network', offline()],
    ['a portal of the network', portal()],
    ['a gateway', json({ message: 'Service Unavailable' }, { status: 503 })],
    ['a limit', problem(429, 'too_many_requests', { 'Retry-After': '2' })],
    ['the same request that still runs', problem(409, 'request_running', { 'Retry-After': '5' })],
    ['a server that is silent', 'hang' as const],
  ])('is repeated with the same key after %s', async (_, failure) => {
    const api = new ScriptedFetch(failure, json({ product_id: 7 }, { status: 201 }));
    const { done } = await settled(http(api).post('/api/v1/products', submit));
    expect(done).toMatchObject({ status: 201 });
    const [first, second] = api.sent.map(({ headers }) => headers.get('Idempotency-Key'));
    expect(first).toMatch(/^[!-~]{20,255}$/);
    expect(second).toBe(first);
  });

  test('has its own key, or the key that the app passes', async () => {
    const api = new ScriptedFetch(() => json({}, { status: 201 }));
    const { post } = http(api);
    await post('/api/v1/products', submit);
    await post('/api/v1/products', submit);
    await post('/api/v1/products', { ...submit, idempotencyKey: 'mine' });
    const keys = api.sent.map(({ headers }) => headers.get('Idempotency-Key'));
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe('mine');
  });

  test('waits as long as the server asks for', async () => {
    const api = new ScriptedFetch(problem(503, 'busy', { 'Retry-After': '7' }), json({}));
    const { after } = await settled(http(api).get('/api/v1/me'));
    expect(after).toBeGreaterThanOrEqual(7000);
  });

  test('rejects immediately if the server asks for more time than is left', async () => {
    const api = new ScriptedFetch(problem(429, 'too_many_submissions', { 'Retry-After': '180' }));
    const { error, after } = await settled(http(api).post('/api/v1/products', submit));
    expect(error).toMatchObject({ code: 'too_many_submissions', retryAfterSeconds: 180 });
    expect(after).toBe(0);
  });

  test('ends after its timeout', async () => {
    const api = new ScriptedFetch(() => Promise.reject(offline()));
    const { error, after } = await settled(http(api).get('/api/v1/me', { timeoutMs: 20_000 }));
    expect(error).toMatchObject({ name: 'NetworkError', code: 'network' });
    expect(after).toBeGreaterThan(10_000);
    expect(after).toBeLessThanOrEqual(20_000);
    expect(api.sent.length).toBeGreaterThan(3);
  });

  test('ends after its timeout when all attempts hang, or the token does', async () => {
    const hanging = new ScriptedFetch('hang', 'hang', 'hang', 'hang');
    expect((await settled(http(hanging).get('/api/v1/me'))).after).toBeLessThanOrEqual(30_000);
    const get = () => new Promise<never>(() => undefined);
    const call = http(new ScriptedFetch(), { tokens: { get } }).get('/api/v1/me');
    expect(await settled(call)).toMatchObject({ error: { code: 'network' } });
  });

  test('ends when the app aborts it, in any state', async () => {
    for (const api of [new ScriptedFetch('hang'), new ScriptedFetch(problem(503, 'busy'))]) {
      const abort = new AbortController();
      const call = http(api).get('/api/v1/me', { signal: abort.signal });
      const refused = expect(call).rejects.toThrow('The screen is gone.');
      await vi.advanceTimersByTimeAsync(1);
      abort.abort(new Error('The screen is gone.'));
      await refused;
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  test('is repeated if it replaces any version', async () => {
    const lost = new ScriptedFetch(offline(), json({}));
    const call = http(lost).put('/api/v1/me/notifications', { body: { events: {} } });
    expect(await settled(call)).toHaveProperty('done');
  });

  test('is not repeated if it replaces a version and may have been done', async () => {
    const settings = { ifMatch: 1, body: { approval_fee: 5, currency: 'EUR' } };
    const lost = new ScriptedFetch(offline());
    const { error } = await settled(http(lost).put('/api/v1/admin/settings', settings));
    expect(error).toMatchObject({ code: 'network' });
    expect(lost.sent).toHaveLength(1);
    const busy = new ScriptedFetch(problem(503, 'busy', { 'Retry-After': '1' }), json({}));
    expect(await settled(http(busy).put('/api/v1/admin/settings', settings))).toHaveProperty(
      'done',
    );
    const get = vi.fn<Tokens['get']>().mockResolvedValueOnce('T1').mockRejectedValueOnce(offline());
    get.mockResolvedValue('T1');
    const unsent = new ScriptedFetch(problem(503, 'busy'), json({}));
    const call = http(unsent, { tokens: { get } }).put('/api/v1/admin/settings', settings);
    expect(await settled(call)).toHaveProperty('done');
  });
});
