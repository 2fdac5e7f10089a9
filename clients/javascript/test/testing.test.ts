/** The server in memory answers like the real server. */

import { describe, expect, it } from 'vitest';

import { FakeServer, settled } from '../src/testing.js';
import type { Events } from '../src/types.js';

const APPROVED: Events['product.approved']['data'] = {
  product_id: 7,
  product_name: 'Dress',
  shop_id: 10,
  shop_name: 'Fashion Store',
  moderation_status: 'approved',
  moderation_notes: '',
  admin_id: 3,
  approval_fee: 5,
};

interface Frame {
  event: string;
  seq?: number;
  events?: Frame[];
  data?: Record<string, unknown>;
}

async function connect(server: FakeServer, query = '', type = 'user' as const) {
  const token =
    (await server.tokens(type).get({ fresh: false, signal: new AbortController().signal })) ?? '';
  const address = `${server.url.replace('http', 'ws')}/ws/${type}?batch=1${query}`;
  const socket = new server.WebSocket(address, ['bearer', token]);
  const frames: Frame[] = [];
  const received: string[] = [];
  socket.onopen = () => received.push('open');
  socket.onmessage = ({ data }: { data: string }) => frames.push(JSON.parse(data) as Frame);
  socket.onclose = () => received.push('close');
  await settled();
  const say = async (message: object) => {
    socket.send(JSON.stringify(message));
    await settled();
    return frames.at(-1);
  };
  return { socket, frames, received, say, connection: server.connections.at(-1) };
}

describe('a connection', () => {
  it('is greeted with the positions of its channels', async () => {
    const server = new FakeServer();
    await server.publish('product.approved', APPROVED);
    const { frames } = await connect(server);
    expect(frames).toMatchObject([
      {
        event: 'connected',
        data: { positions: { user: { seq: 1 }, 'user:2': { seq: 0 } }, recovering: [] },
      },
    ]);
  });

  it('gets what it missed since the positions of its handshake, in one frame', async () => {
    const server = new FakeServer();
    const { epoch } = server.position('user');
    await server.publish('product.approved', APPROVED);
    const { frames } = await connect(server, `&positions=user:${epoch}:0`);
    expect(frames).toMatchObject([
      {
        event: 'batch',
        events: [
          { event: 'connected', data: { recovering: ['user'] } },
          { seq: 1 },
          { event: 'recovered' },
        ],
      },
    ]);
  });

  it('gets recovered: false for an expired history', async () => {
    const server = new FakeServer();
    const { epoch } = server.position('user');
    await server.publish('product.approved', APPROVED);
    server.expireHistory('user');
    const { say } = await connect(server);
    expect(await say({ type: 'resume', positions: { user: { epoch, seq: 0 } } })).toMatchObject({
      event: 'recovered',
      data: { recovered: false, channels: { user: { recovered: false, seq: 1 } } },
    });
  });

  it.each(['admin.alerts', 'shop:10.orders', 'shop-10', 'a b'])('may not join %s', async (room) => {
    const { say } = await connect(new FakeServer());
    expect(await say({ type: 'join', room })).toMatchObject({ data: { code: 'room_forbidden' } });
  });

  it('joins a room, whose past begins there, and leaves it', async () => {
    const server = new FakeServer();
    const { say, frames } = await connect(server);
    const announcement = { to: 'room:sale', title: 'Sale', text: 'Now', admin_id: 3 };
    await server.publish('announcement.published', announcement);
    const { epoch } = server.position('room:sale');
    expect(await say({ type: 'join', room: 'sale' })).toMatchObject({
      data: { position: { seq: 1 } },
    });
    const early = { type: 'resume', positions: { 'room:sale': { epoch, seq: 0 } } };
    expect(await say(early)).toMatchObject({ data: { recovered: false } });
    await server.publish('announcement.published', announcement);
    expect(frames.at(-1)).toMatchObject({ event: 'announcement.published', seq: 2 });
    expect(await say({ type: 'leave', room: 'sale' })).toMatchObject({ event: 'left' });
    await server.publish('announcement.published', announcement);
    expect(frames.at(-1)).toMatchObject({ event: 'left' });
  });

  it('delivers nothing while it is held, and everything in order after that', async () => {
    const server = new FakeServer();
    const { frames, received } = await connect(server);
    server.hold();
    await server.publish('product.approved', APPROVED);
    await server.publish('product.approved', APPROVED);
    expect(frames).toHaveLength(1);
    await server.release();
    expect(frames.map(({ seq }) => seq)).toEqual([undefined, 1, 2]);
    expect(received).toEqual(['open']);
  });

  it('ends with a reason, or without', async () => {
    const server = new FakeServer();
    const one = await connect(server);
    await server.disconnect('too_many_connections');
    expect(one.frames.at(-1)).toMatchObject({
      event: 'closing',
      data: { reason: 'too_many_connections' },
    });
    const other = await connect(server);
    await server.disconnect();
    expect([one.received, other.received, server.connections]).toEqual([
      ['open', 'close'],
      ['open', 'close'],
      [],
    ]);
  });

  it('is refused with a token that has expired, and without a network', async () => {
    const server = new FakeServer();
    server.tokenLifetimeSeconds = 0;
    expect((await connect(server)).received).toEqual(['close']);
    server.tokenLifetimeSeconds = 60;
    server.isReachable = false;
    expect((await connect(server)).received).toEqual(['close']);
  });
});

describe('requests', () => {
  const post = async (server: FakeServer, path: string, body: object) => {
    const response = await server.fetch(`${server.url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  };

  it('log in, exchange the refresh token, and refuse one that was used before', async () => {
    const server = new FakeServer();
    const login = await post(server, '/api/v1/auth/login', {
      email: 'user@example.com',
      password: 'password',
    });
    expect(login).toMatchObject({ account: { client_type: 'user' } });
    const refresh = (refresh_token: unknown) =>
      post(server, '/api/v1/auth/refresh', { refresh_token });
    const second = await refresh(login['refresh_token']);
    expect(await refresh(login['refresh_token'])).toHaveProperty('access_token');
    expect(await refresh(second['refresh_token'])).toHaveProperty('access_token');
    expect(await refresh(login['refresh_token'])).toMatchObject({ code: 'refresh_token_reused' });
  });

  it('are answered as the test specifies', async () => {
    const server = new FakeServer();
    server.respond('GET /api/v1/products', { items: [], cursor: null });
    const response = await server.fetch(`${server.url}/api/v1/products?status=approved`);
    expect(await response.json()).toEqual({ items: [], cursor: null });
    expect(server.requests[0]?.url.search).toBe('?status=approved');
  });

  it('fail without a network', async () => {
    const server = new FakeServer();
    server.isReachable = false;
    await expect(server.fetch(server.url)).rejects.toThrow(TypeError);
  });
});
