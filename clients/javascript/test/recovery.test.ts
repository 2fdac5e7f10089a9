/** Events: each once and in order, none missed, whatever the connection does. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MAX_EARLY_EVENTS } from '../src/inbox.js';
import {
  at,
  batch,
  closing,
  connected,
  createApp,
  error,
  event,
  events,
  pass,
  recovered,
  resume,
} from './app.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Connects again at a position. */
async function reconnect(app: ReturnType<typeof createApp>, seq: number, more = {}) {
  app.live[0]?.end();
  const here = await app.accept();
  here.receive(connected(seq, more));
  return here;
}

test('early and repeated events are delivered once and in order', async () => {
  const app = createApp();
  app.client.start();
  const here = await app.accept();
  here.receive(event(1), connected(0), event(3), event(3));
  expect(here.take()).toEqual([resume(1)]);
  here.receive(event(4), event(1), event(2), event(3), event(4), recovered(4), event(5), event(3));
  expect(app.seqs).toEqual([1, 2, 3, 4, 5]);
  here.receive(event(7));
  expect(here.take()).toEqual([resume(5)]);
  here.receive(event(6), event(7), recovered(7), closing('later_reason'));
  expect(app.seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('all gaps of a batch are requested at once, and those that it fills are not', async () => {
  const app = createApp();
  const both = { user: at(0), 'user:1': at(7) };
  app.client.start();
  const here = await app.accept();
  here.receive(connected(0, { positions: both }));
  here.receive(batch(event(3), event(10, 'user:1'), event(4)));
  expect(here.take()).toEqual([{ type: 'resume', positions: both }]);
  here.receive(batch(event(2), event(1)), batch(event(9, 'user:1'), event(8, 'user:1')));
  expect(app.seqs).toEqual([1, 2, 3, 4, 8, 9, 10]);
});

test('one event in two channels is delivered in each', async () => {
  const app = createApp();
  app.client.start();
  const here = await app.accept();
  here.receive(connected(0, { positions: { user: at(0), 'user:1': at(7) } }));
  here.receive(event(1), { ...event(8, 'user:1'), id: 'id-1' });
  expect(app.events.map(({ id }) => id)).toEqual(['id-1', 'id-1']);
});

test('a listener gets the events of its name, also of a later version, until it unsubscribes', async () => {
  const app = createApp();
  const received: unknown[] = [];
  const listen = app.client.on.bind(app.client) as (
    name: string,
    act: (one: unknown) => void,
  ) => () => void;
  const unsubscribe = listen('later.event', (one) => received.push(one));
  const here = await app.connect();
  here.receive(event(1), { ...event(2), event: 'later.event' });
  unsubscribe();
  here.receive({ ...event(3), event: 'later.event' }, { event: 'unknown', data: {} });
  expect(received).toEqual([{ ...event(2), event: 'later.event' }]);
  expect([app.seqs, app.errors]).toEqual([[1, 2, 3], []]);
});

test('a channel that cannot be recovered is refetched, and continues from the new position', async () => {
  const app = createApp();
  await app.connect(57);
  const here = await reconnect(app, 900);
  expect(here.take()).toEqual([resume(57)]);
  here.receive(recovered(901, { isRecovered: false }), event(901), event(902));
  expect([app.seqs, app.refetches]).toEqual([[902], ['user']]);
  expect(app.client.status).toEqual({ state: 'online' });
});

test('an app can read the position of the latest event that it has received', async () => {
  const app = createApp();
  const positions: unknown[] = [];
  app.client.on('*', () => positions.push(app.client.position('user')));
  expect(app.client.position('user')).toBeNull();
  const here = await app.connect(57);
  expect(app.client.position('user')).toEqual(at(57));
  here.receive(batch(event(58), event(59)));
  expect(positions).toEqual([at(58), at(59)]);
  expect(app.client.position('__proto__')).toBeNull();
});

describe('numbers of another epoch, or behind what this client has read', () => {
  test.each([
    ['another epoch', 4, 'new'],
    ['a channel behind', 4, 'e'],
  ])('%s: events wait until the position to continue from is known', async (_, seq, epoch) => {
    const app = createApp();
    await app.connect(57);
    const here = await reconnect(app, seq, { epoch });
    // 58 would be the next one, and 5 a repeat, if they were counted as before.
    here.receive(event(58), event(5));
    expect(here.take()).toEqual([resume(57)]);
    here.receive(recovered(4, { epoch, isRecovered: false }));
    expect([app.seqs, app.refetches]).toEqual([[5], ['user']]);
    expect(here.take()).toEqual([resume(5, { epoch })]);
  });

  test.each([true, false])('the handshake detects them too: recovered %s', async (isRecovered) => {
    const app = createApp();
    await app.connect(57);
    const here = await reconnect(app, 4, { recovering: ['user'] });
    here.receive(event(5), recovered(4, { isRecovered }));
    expect([app.seqs, app.refetches, here.take()]).toEqual([[5], ['user'], []]);
  });

  test('a repeated greeting with older positions is ignored', async () => {
    const app = createApp();
    await app.connect(57);
    const here = await reconnect(app, 60, { recovering: ['user'] });
    const greeting = [
      connected(60, { recovering: ['user'] }),
      event(58),
      event(59),
      event(60),
      recovered(60),
    ];
    here.receive(...greeting, event(61), ...greeting, event(62));
    here.receive(
      connected(60, { recovering: ['user'] }),
      recovered(60, { isRecovered: false }),
      event(63),
    );
    expect([app.seqs, app.refetches, here.take()]).toEqual([[58, 59, 60, 61, 62, 63], [], []]);
  });
});

test('events held back on one connection are dropped on the next one', async () => {
  const app = createApp();
  (await app.connect(0)).receive(event(5));
  const here = await reconnect(app, 4, { epoch: 'new' });
  here.receive(recovered(4, { epoch: 'new', isRecovered: false }), { ...event(5), id: 'another' });
  expect(app.events.map(({ id }) => id)).toEqual(['another']);
});

test('an interrupted recovery is requested again, a little later', async () => {
  const app = createApp();
  const here = await app.connect(0);
  here.receive(event(3));
  expect(here.take()).toEqual([resume(0)]);
  here.receive(event(1), error('recovery_interrupted'));
  expect(here.take()).toEqual([]);
  await pass(500);
  expect(here.take()).toEqual([resume(1)]);
  here.receive(event(2), event(3), recovered(3));
  expect([app.seqs, app.errors, app.client.status.state]).toEqual([[1, 2, 3], [], 'online']);
});

test('a request refused with too_many_requests is sent again after the wait, with newer gaps', async () => {
  const app = createApp();
  app.client.start();
  const here = await app.accept();
  here.receive(connected(0, { positions: { user: at(0), 'user:1': at(7) } }), event(2));
  here.take();
  here.receive(error('too_many_requests', { retry_after: 40 }), event(9, 'user:1'));
  for (let waited = 0; waited < 40; waited += 1) {
    await pass(1000);
    here.receive({ event: 'pong' });
  }
  expect(here.take()).toEqual([]);
  await pass(500);
  expect(here.take()).toEqual([{ type: 'resume', positions: { user: at(0), 'user:1': at(7) } }]);
});

test.each([[[]], [['user']]])(
  'a recovery that never ends is begun on another connection: %j',
  async (recovering) => {
    const app = createApp();
    await app.connect(0);
    const here = await reconnect(app, 2, { recovering });
    for (let waited = 0; waited < 35; waited += 1) {
      here.receive({ event: 'pong' });
      await pass(1000);
    }
    expect(here.isLive).toBe(false);
    expect(app.client.status).toMatchObject({ state: 'offline', reason: 'timeout' });
  },
);

test('after channel_forbidden the client connects again', async () => {
  const app = createApp();
  (await app.connect()).receive(event(2), error('channel_forbidden'));
  (await app.accept()).receive(connected(2, { recovering: ['user'] }));
});

describe('hostile frames', () => {
  test('frames of API Gateway itself are ignored', async () => {
    const app = createApp();
    const here = await app.connect(57);
    const failed = { message: 'Internal server error', connectionId: 'x', requestId: 'y' };
    here.receive('', 'Internal server error', 'null', '7', '[]', '[null]', failed, event(58));
    expect([app.seqs, app.errors]).toEqual([[58], []]);
  });

  test.each([
    { ...event(58), seq: -1 },
    { ...event(58), seq: 58.5 },
    { ...event(58), seq: '58' },
    { ...event(58), seq: null },
    { ...event(58), seq: 2 ** 53 },
    { ...event(58), channel: 7 },
    { ...event(58), data: null },
    { event: 'recovered', data: { channels: { user: { epoch: 'e', seq: 90 } } } },
    { event: 'recovered', data: { channels: { user: null } } },
    { event: 'recovered', data: { channels: [] } },
    { event: 'joined', data: { room: 'sale', channel: 'room:sale' } },
    { event: 'connected' },
    { event: 'connected', data: null },
    { event: 'connected', data: { positions: { user: { seq: 3 } } } },
    { event: 'connected', data: { positions: { user: at(3) }, recovering: 'user' } },
    { event: 'error' },
    { event: 'closing', data: [] },
    { event: '__proto__', data: {} },
    { event: 'constructor', data: {}, seq: 'x' },
    batch({ ...event(58), seq: -1 }, null as never, 7 as never),
  ])('%j does not affect later frames', async (frame) => {
    const app = createApp();
    const here = await app.connect(57);
    here.receive(frame, event(58));
    await pass(2000);
    expect(app.seqs).toEqual([58]);
    expect(new Set(app.errors)).toEqual(app.errors.length ? new Set(['frame_invalid']) : new Set());
  });

  test('the number of events held back is limited, and dropped ones are requested again', async () => {
    const app = createApp();
    const here = await app.connect(0);
    const last = MAX_EARLY_EVENTS + 500;
    for (const early of events(2, last)) here.receive(early);
    expect(here.take()).toEqual([resume(0)]);
    here.receive(event(1), recovered(last));
    expect(app.seqs).toHaveLength(MAX_EARLY_EVENTS + 1);
    expect(here.take()).toEqual([resume(MAX_EARLY_EVENTS + 1)]);
    here.receive(...events(MAX_EARLY_EVENTS + 2, last), recovered(last));
    expect(app.seqs).toHaveLength(last);
    expect(app.client.status).toEqual({ state: 'online' });
  });
});

test('positions in the handshake are no longer than the server accepts', async () => {
  const app = createApp();
  app.client.start();
  const here = await app.accept();
  const epoch = 'e'.repeat(64);
  const positions = Object.fromEntries(
    ['user', 'user:1', 'user:2', 'user:3', 'user:4'].map((channel) => [channel, at(1, epoch)]),
  );
  here.receive(
    connected(0, { positions: { strange: at(1), 'user:9': at(1, 'a,b:c'), ...positions } }),
  );
  here.end();
  const [, given = ''] = (await app.accept()).address.split('&positions=');
  expect(given.split(',')).toEqual(
    ['user', 'user:1', 'user:2'].map((channel) => `${channel}:${epoch}:1`),
  );
  expect(given.length).toBeLessThanOrEqual(256);
});
