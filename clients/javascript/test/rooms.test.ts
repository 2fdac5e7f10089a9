/** Rooms: joined on every connection, and forgotten when left. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  closing,
  connected,
  createApp,
  error,
  event,
  joined,
  left,
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

const join = (room: string) => ({ type: 'join', room });
const leave = (room: string) => ({ type: 'leave', room });
const inRoom = (seq: number) => event(seq, 'room:sale');
const ofRoom = { channel: 'room:sale' };

/** The result of a promise so far; undefined while it is pending. */
function follow(promise: Promise<void>): { ended?: string } {
  const followed: { ended?: string } = {};
  promise.then(
    () => (followed.ended = 'resolved'),
    (reason: unknown) => (followed.ended = (reason as { code: string }).code),
  );
  return followed;
}

test('a room is joined on every connection and resumed', async () => {
  const app = createApp();
  const joining = follow(app.client.room('sale').join());
  const here = await app.connect();
  expect(here.take()).toEqual([join('sale')]);
  here.receive(inRoom(6), joined('sale', 5), inRoom(7));
  await pass();
  expect(joining.ended).toBe('resolved');
  expect(app.seqs).toEqual([6, 7]);
  here.end();
  const next = await app.accept();
  expect(next.address).toContain('positions=user:e:0');
  expect(next.address).not.toContain('room');
  next.receive(connected());
  expect(next.take()).toEqual([join('sale')]);
  next.receive(joined('sale', 9));
  expect(next.take()).toEqual([resume(7, ofRoom)]);
  next.receive(inRoom(8), inRoom(9), recovered(9, ofRoom));
  expect(app.seqs).toEqual([6, 7, 8, 9]);
});

test('a room that is left is forgotten', async () => {
  const app = createApp();
  const room = app.client.room('sale');
  void room.join();
  const here = await app.connect();
  here.receive(joined('sale', 5), inRoom(6));
  const leaving = follow(room.leave());
  expect(here.take()).toEqual([join('sale'), leave('sale')]);
  here.receive(inRoom(7), left('sale'), event(1));
  await pass();
  expect([app.seqs, leaving.ended, app.client.position('room:sale')]).toEqual([
    [6, 1],
    'resolved',
    null,
  ]);
  void room.join();
  here.receive(joined('sale', 20), inRoom(21));
  expect(app.seqs).toEqual([6, 1, 21]);
});

test('a room is left only after the answer to join, and requests wait for each other', async () => {
  const app = createApp();
  const here = await app.connect();
  const joining = follow(app.client.room('sale').join());
  void app.client.room('news').join();
  void app.client.room('sale').leave();
  await pass();
  expect(joining.ended).toBe('left');
  expect(here.take()).toEqual([join('sale')]);
  here.receive(joined('sale', 5));
  expect(here.take()).toEqual([leave('sale')]);
  here.receive(left('sale'));
  expect(here.take()).toEqual([join('news')]);
  here.end();
  const next = await app.accept();
  next.receive(connected());
  expect(next.take()).toEqual([join('news')]);
});

test('a leave that a join replaces resolves, whether its request was sent or not', async () => {
  const app = createApp();
  const here = await app.connect();
  const room = app.client.room('sale');
  const first = follow(room.join());
  const unsent = follow(room.leave());
  const second = follow(room.join());
  here.receive(joined('sale', 5));
  await pass();
  expect([first.ended, unsent.ended, second.ended]).toEqual(['left', 'resolved', 'resolved']);

  const sent = follow(room.leave());
  const third = follow(room.join());
  here.receive(left('sale'), joined('sale', 5));
  await pass();
  expect([sent.ended, third.ended]).toEqual(['resolved', 'resolved']);
  expect(here.take()).toEqual([join('sale'), leave('sale'), join('sale')]);
});

test('the recovery of a room that was left is ignored', async () => {
  const app = createApp();
  void app.client.room('sale').join();
  const here = await app.connect();
  here.receive(joined('sale', 5), inRoom(9));
  expect(here.take()).toEqual([join('sale'), resume(5, ofRoom)]);
  void app.client.room('sale').leave();
  here.receive(recovered(9, { ...ofRoom, isRecovered: false }), left('sale'), event(1));
  expect([app.seqs, app.refetches, app.client.status.state]).toEqual([[1], [], 'online']);
});

test.each(['too_many_rooms', 'room_forbidden', 'message_invalid', 'later_code'])(
  'a join that is refused with %s rejects with that code, and is not sent again',
  async (code) => {
    const app = createApp();
    const joining = follow(app.client.room('sale').join());
    void app.client.room('news').join();
    const here = await app.connect();
    here.receive(error(code));
    await pass();
    expect([joining.ended, app.errors]).toEqual([code, [code]]);
    expect(here.take()).toEqual([join('sale'), join('news')]);
    here.end();
    const next = await app.accept();
    next.receive(connected());
    expect(next.take()).toEqual([join('news')]);
  },
);

test.each(['too_many_requests', 'busy'])(
  'a join that is refused with %s is sent again after the wait',
  async (code) => {
    const app = createApp();
    const joining = follow(app.client.room('sale').join());
    const here = await app.connect();
    here.take();
    here.receive(error(code, { retry_after: 12 }));
    await pass(11_999);
    expect(here.take()).toEqual([]);
    await pass(1000);
    expect(here.take()).toEqual([join('sale')]);
    here.receive(joined('sale', 5));
    await pass();
    expect(joining.ended).toBe('resolved');
  },
);

test('a join that is never answered is sent on another connection', async () => {
  const app = createApp();
  const joining = follow(app.client.room('sale').join());
  const here = await app.connect();
  here.receive({ event: 'pong' });
  for (let waited = 0; waited < 35; waited += 1) {
    await pass(1000);
    here.receive({ event: 'pong' });
  }
  expect(here.isLive).toBe(false);
  const next = await app.accept();
  next.receive(connected(), joined('sale', 5));
  await pass();
  expect(next.take()).toEqual([join('sale')]);
  expect(joining.ended).toBe('resolved');
});

test('an invalid name is refused without a request', async () => {
  const app = createApp();
  const joining = follow(app.client.room('no room').join());
  const here = await app.connect();
  await pass();
  expect([joining.ended, here.take()]).toEqual(['message_invalid', []]);
});

test('a logout removes all rooms, and rejects pending joins', async () => {
  const app = createApp();
  const here = await app.connect();
  void app.client.room('news').join();
  const joining = follow(app.client.room('sale').join());
  here.receive(joined('news', 1));
  await app.client.logout();
  expect(joining.ended).toBe('logged_out');
  app.client.start();
  const next = await app.accept();
  next.receive(connected());
  expect(next.take()).toEqual([]);
});

test('a stop keeps the rooms, and leaving without a connection resolves immediately', async () => {
  const app = createApp();
  const here = await app.connect();
  void app.client.room('news').join();
  void app.client.room('sale').join();
  here.receive(joined('news', 1));
  await app.client.stop();
  await app.client.room('news').leave();
  app.client.start();
  const next = await app.accept();
  next.receive(connected());
  expect(next.take()).toEqual([join('sale')]);
});

test('an ignored refusal is not an unhandled rejection', async () => {
  const rejections = vi.fn();
  process.on('unhandledRejection', rejections);
  const app = createApp();
  void app.client.room('sale').join();
  (await app.connect()).receive(error('room_forbidden'), closing('everyone_disconnected'));
  void app.client.room('?').join();
  await pass(10_000);
  vi.useRealTimers();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', rejections);
  expect(rejections).not.toHaveBeenCalled();
});
