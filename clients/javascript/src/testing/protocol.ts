/** The server's side of the protocol of protocol.md. */

import type { Account, Position } from '../types.js';
import type { Channels } from './channels.js';
import type { FakeConnection } from './connection.js';
import type { Sessions } from './sessions.js';

const MAX_GREETED = 200;
const MAX_RECOVERED = { batches: 2000, frames: 500 };
const MAX_ROOMS = 20;

type Message = Record<string, unknown>;

export class Protocol {
  readonly #channels: Channels;
  readonly #sessions: Sessions;
  readonly #settings: { readonly pingIntervalSeconds: number };
  /** The position at which each identity has joined each room. */
  readonly #joined = new Map<string, Position>();

  constructor(
    channels: Channels,
    sessions: Sessions,
    settings: { readonly pingIntervalSeconds: number },
  ) {
    this.#channels = channels;
    this.#sessions = sessions;
    this.#settings = settings;
  }

  /** Sends `connected`, and the events missed since the positions of the handshake. */
  greet(connection: FakeConnection, expiresAt: number): void {
    const own = [...connection.channels];
    const brought = Object.entries(connection.positions).filter(([name]) => own.includes(name));
    const { events, data } = this.#recover(Object.fromEntries(brought), connection);
    const isShort = brought.length > 0 && events.length <= MAX_GREETED;
    const connected = frame('connected', {
      connection_id: connection.id,
      client_type: connection.account?.client_type,
      expires_at: new Date(expiresAt).toISOString(),
      ping_interval_seconds: this.#settings.pingIntervalSeconds,
      positions: Object.fromEntries(own.map((name) => [name, this.#channels.position(name)])),
      recovering: isShort ? brought.map(([name]) => name) : [],
    });
    if (isShort) connection.send(connected, ...events, frame('recovered', data));
    else connection.send(connected);
  }

  #recover(positions: Record<string, Position>, { takesBatches, account }: FakeConnection) {
    let limit = takesBatches ? MAX_RECOVERED.batches : MAX_RECOVERED.frames;
    const events: object[] = [];
    const channels: Record<string, Position & { recovered: boolean }> = {};
    for (const [name, since] of Object.entries(positions)) {
      const joined = account && this.#joined.get(`${identityOf(account)} ${name}`);
      const isEarlier = joined?.epoch === since.epoch && joined.seq > since.seq;
      const missed = isEarlier ? null : this.#channels.after(name, since, limit);
      limit -= missed?.length ?? 0;
      events.push(...(missed ?? []));
      channels[name] = { ...this.#channels.position(name), recovered: missed !== null };
    }
    const recovered = Object.values(channels).every((channel) => channel.recovered);
    return { events, data: { recovered, channels } };
  }

  /** Answers a message. */
  heed(connection: FakeConnection, message: Message): void {
    switch (message['type']) {
      case 'ping':
        connection.send({ event: 'pong' });
        break;
      case 'resume':
        this.#resume(connection, message['positions'] as Record<string, Position>);
        break;
      case 'join':
        this.#join(connection, String(message['room']));
        break;
      case 'leave':
        this.#leave(connection, String(message['room']));
        break;
      case 'auth':
        this.#extend(connection, message['token']);
        break;
      default:
        refuse(connection, 'message_invalid');
    }
  }

  #resume(connection: FakeConnection, positions: Record<string, Position>): void {
    if (!Object.keys(positions).every((name) => connection.channels.has(name))) {
      refuse(connection, 'channel_forbidden');
      return;
    }
    const { events, data } = this.#recover(positions, connection);
    connection.send(...events, frame('recovered', data));
  }

  #join(connection: FakeConnection, room: string): void {
    const { account, channels, rooms } = connection;
    if (!account || !mayJoin(room, account)) {
      refuse(connection, 'room_forbidden');
      return;
    }
    if (rooms.size >= MAX_ROOMS && !rooms.has(room)) {
      refuse(connection, 'too_many_rooms');
      return;
    }
    const channel = `room:${room}`;
    const position = this.#channels.position(channel);
    const key = `${identityOf(account)} ${channel}`;
    if (!this.#joined.has(key)) this.#joined.set(key, position);
    rooms.add(room);
    channels.add(channel);
    connection.send(frame('joined', { room, channel, position }));
  }

  #leave(connection: FakeConnection, room: string): void {
    const { account, channels, rooms } = connection;
    if (account) this.#joined.delete(`${identityOf(account)} room:${room}`);
    rooms.delete(room);
    channels.delete(`room:${room}`);
    connection.send(frame('left', { room }));
  }

  #extend(connection: FakeConnection, token: unknown): void {
    const access = this.#sessions.check(String(token));
    if ('code' in access) {
      refuse(connection, access.code);
      return;
    }
    if (access.session.account.id !== connection.account?.id) {
      refuse(connection, 'identity_mismatch');
      return;
    }
    const expires_at = new Date(access.expiresAt).toISOString();
    connection.send(frame('authenticated', { expires_at }));
  }
}

function frame(event: string, data: unknown) {
  return { event, timestamp: new Date().toISOString(), data };
}

function refuse(connection: FakeConnection, code: string): void {
  connection.send(frame('error', { code, message: `Refused: ${code}.` }));
}

/** The server's name of an identity; a shop's has the shop's number. */
export function identityOf({ client_type, id, shop_id }: Account): string {
  return `${client_type}:${String(client_type === 'shop' ? shop_id : id)}`;
}

/** Whether an identity may join a room, by its name: see *Rooms* in protocol.md. */
function mayJoin(room: string, { client_type, shop_id }: Account): boolean {
  const [namespace = '', rest] = room.split('.', 2);
  if (namespace === 'admin' && rest) return client_type === 'admin';
  if (namespace.includes(':') && rest) {
    return client_type === 'admin' || namespace === `shop:${String(shop_id)}`;
  }
  return /^[\w.-]{1,64}$/.test(room) && !/^(admin|shops?(?![a-z]))/i.test(room);
}
