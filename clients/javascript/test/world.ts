/** A hostile environment for a client: everything fails, hangs or returns wrong data at random, by a seed. */

import { vi } from 'vitest';
import { VitrinaClient } from '../src/client.js';
import type { Hints, Position, Socket, Status, Store } from '../src/types.js';
import { at, connected, error, joined, lasting, left, type Json } from './app.js';

type Random = () => number;

/** Numbers from 0 to 1, the same for a seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Channel {
  epoch: string;
  /** The ids of its events; the first one has the number 1. */
  ids: string[];
  /** A backup was restored: nothing is published until a client has received the new position. */
  isFrozen: boolean;
}

const RECOVERY_LIMIT = 40;

/** A socket with an unreliable network and a server behind it. */
class WildSocket implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onerror: Socket['onerror'] = null;
  onclose: Socket['onclose'] = null;
  readyState = 0;
  /** Whether the client has tried to close it. */
  isUnwanted = false;
  isClosedOnceOpen = false;
  /** The network is lost without notice. */
  isDead = false;
  readonly rooms = new Set<string>();

  constructor(
    readonly world: World,
    readonly address: string,
  ) {
    const { chance, later } = world;
    if (chance(0.7) || world.isKind) {
      later(() => {
        this.open();
      });
    } else if (chance(0.6)) {
      later(() => {
        this.end();
      });
    }
  }

  open(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.onopen?.({} as never);
    this.world.greet(this);
  }

  end(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    if (this.world.chance(0.3)) this.onerror?.({} as never);
    if (this.world.chance(0.9)) this.onclose?.({} as never);
  }

  deliver(frame: Json | string): void {
    if (this.readyState !== 1 || this.isDead) return;
    const data = typeof frame === 'string' ? frame : JSON.stringify(frame);
    this.onmessage?.({ data } as never);
  }

  send(text: string): void {
    if (this.readyState !== 1 || this.world.chance(0.01)) throw new Error('InvalidStateError');
    if (!this.isDead) this.world.answer(this, JSON.parse(text) as Json);
  }

  close(): void {
    const { chance, later } = this.world;
    this.isUnwanted = true;
    if (this.readyState === 0 && chance(0.5)) return; // Android
    if (this.readyState === 1) this.isClosedOnceOpen = true;
    if (chance(0.05)) throw new Error('InvalidAccessError');
    if (chance(0.2)) this.end();
    else if (this.readyState === 1) later(() => (this.readyState = 3));
    else this.readyState = 3;
  }
}

export class World {
  readonly channels = new Map<string, Channel>();
  readonly faults: string[] = [];
  /** Counts what has happened, to check that a run tried something. */
  readonly counts = { events: 0, refetches: 0, online: 0, sockets: 0, restarts: 0 };
  sockets: WildSocket[] = [];
  client: VitrinaClient;
  hints: Hints | null = null;
  /** The end of a run: nothing fails any more, and the client has to recover soon. */
  isKind = false;
  /** Promises of the client that have not settled. */
  readonly waiting = new Set<string>();
  joins = 0;
  private readonly stored = new Map<string, string>();
  private told: Status | null = null;
  private at = new Map<string, Position>();
  private readonly highest = new Map<string, number>();
  private published = 0;
  private depth = 0;

  constructor(readonly random: Random) {
    for (const name of ['user', 'user:1', 'room:sale', 'room:news']) {
      this.channels.set(name, { epoch: 'e0', ids: [], isFrozen: false });
    }
    vi.spyOn(Math, 'random').mockImplementation(random);
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    this.client = this.createClient();
  }

  readonly chance = (probability: number): boolean => !this.isKind && this.random() < probability;
  readonly below = (limit: number): number => Math.floor(this.random() * limit);

  /** Does something after a random time, which may be zero. */
  readonly later = (act: () => unknown): void => {
    const ms = this.isKind ? 10 : ([0, 1, 50, 900, 8000][this.below(5)] ?? 0);
    if (ms === 0 && this.chance(0.3)) act();
    else setTimeout(act, ms);
  };

  fault(sentence: string): void {
    this.faults.push(sentence);
  }

  // --- The app ---

  createClient(): VitrinaClient {
    this.at = new Map();
    this.told = null;
    this.hints = null;
    this.waiting.clear();
    const client: VitrinaClient = new VitrinaClient({
      url: 'https://example.com',
      as: 'user',
      tokens: {
        get: () => this.giveToken(),
        logout: () => this.endure('logout', undefined),
      },
      platform: {
        openSocket: (address) => {
          if (this.chance(0.03)) throw new Error('SecurityError');
          if (this.chance(0.05)) this.act(client);
          const socket = new WildSocket(this, address);
          this.sockets.push(socket);
          this.counts.sockets += 1;
          return socket;
        },
        fetch: () => Promise.reject(new Error('unused')),
        store: this.createStore(() => client),
        watch: (hints) => {
          this.hints = hints;
          if (this.chance(0.1)) hints.background();
          return () => {
            this.hints = null;
          };
        },
      },
    });
    const isCurrent = (): boolean => client === this.client;
    client.on('*', (event) => {
      if (isCurrent()) this.hearEvent(event);
      return this.misbehave(client);
    });
    client.onRefetch((channel) => {
      if (isCurrent()) this.hearRefetch(channel);
      return this.misbehave(client);
    });
    client.onStatus((status) => {
      this.told = status;
      if (status.state === 'online') this.counts.online += 1;
      return this.misbehave(client);
    });
    client.onError(() => this.misbehave(client));
    return client;
  }

  /** The process is killed: its sockets end, and another one begins with what is stored. */
  restart(): void {
    this.counts.restarts += 1;
    const old = this.client;
    this.isKind = true;
    void old.stop();
    this.isKind = false;
    this.sockets.forEach((socket) => {
      socket.readyState = 3;
    });
    this.sockets = [];
    this.client = this.createClient();
  }

  private giveToken(): Promise<string | null> {
    if (this.chance(0.05)) this.act(this.client);
    if (this.chance(0.03)) throw new Error('thrown by the source of tokens');
    if (this.chance(0.02)) return Promise.resolve(null);
    return this.endure('token', `T${String(this.below(3))}`);
  }

  /** An answer of the app or the platform may come in time, late or never, or fail. */
  private endure<Value>(what: string, value: Value): Promise<Value> {
    if (this.chance(0.03)) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      const isLost = this.chance(0.1);
      this.later(() => {
        if (isLost) reject(new Error(`no ${what}`));
        else resolve(value);
      });
    });
  }

  private createStore(owner: () => VitrinaClient): Store {
    return {
      getItem: (key) => {
        if (this.chance(0.05)) throw new Error('denied');
        const lies = ['null', '{"user":{"seq":-1}}', '{', '{"user":{"epoch":"e0","seq":0}}', ''];
        const text = this.chance(0.1) ? lies[this.below(lies.length)] : this.stored.get(key);
        return this.endure('read', text ?? null);
      },
      setItem: (key, value) => {
        if (this.chance(0.05)) throw new Error('full');
        this.checkStored(owner(), value);
        return this.endure('write', undefined).then(() => void this.stored.set(key, value));
      },
      removeItem: (key) =>
        this.endure('removal', undefined).then(() => void this.stored.delete(key)),
    };
  }

  private checkStored(client: VitrinaClient, text: string): void {
    if (client !== this.client) return;
    for (const [channel, { epoch, seq }] of Object.entries(
      JSON.parse(text) as Record<string, Position>,
    )) {
      this.mark(channel);
      if (seq > (this.highest.get(`${channel} ${epoch}`) ?? 0)) {
        this.fault(`${channel} is stored ahead`);
      }
    }
  }

  /** Remembers the app's position in a channel, which a restored backup may move back. */
  private mark(channel: string): void {
    const mine = this.client.position(channel);
    if (!mine) return;
    const name = `${channel} ${mine.epoch}`;
    this.highest.set(name, Math.max(mine.seq, this.highest.get(name) ?? 0));
  }

  /** A callback of the app throws, rejects, never ends, or calls the client. */
  private misbehave(client: VitrinaClient): Promise<void> | undefined {
    if (this.chance(0.05)) throw new Error('thrown by the app');
    if (this.chance(0.05)) return Promise.reject(new Error('rejected by the app'));
    if (this.chance(0.02)) return new Promise(() => undefined);
    if (this.chance(0.06) && client === this.client) this.act(client);
    return undefined;
  }

  /** Something that an app does with its client, at any time. */
  act(client: VitrinaClient): void {
    if (this.depth > 3) return;
    this.depth += 1;
    const room = client.room(this.chance(0.5) ? 'sale' : 'news');
    const which = this.below(20);
    if (which < 3) this.follow('stop', client.stop());
    else if (which < 12) client.start();
    else if (which < 16) this.follow(`join ${room.name} ${String((this.joins += 1))}`, room.join());
    else if (which < 19) {
      this.at.delete(`room:${room.name}`);
      this.follow('leave', room.leave());
    } else {
      this.at.clear();
      this.follow('logout', client.logout());
    }
    this.depth -= 1;
  }

  private follow(what: string, promise: Promise<void>): void {
    const name = `${what} #${String((this.published += 1))}`;
    this.waiting.add(name);
    const settle = (): void => void this.waiting.delete(name);
    promise.then(settle, settle);
  }

  private hearEvent({ channel, seq, id }: { channel: string; seq: number; id: string }): void {
    this.counts.events += 1;
    const position = this.client.position(channel);
    const before = this.at.get(channel);
    const of = this.channels.get(channel);
    if (position?.seq !== seq)
      this.fault(`${channel} ${String(seq)} is told at ${JSON.stringify(position)}`);
    if (before && (before.epoch !== position?.epoch || before.seq + 1 !== seq)) {
      this.fault(`${channel} ${String(seq)} follows ${JSON.stringify(before)}`);
    }
    if (of && position?.epoch === of.epoch && of.ids[seq - 1] !== id && of.ids.length >= seq) {
      this.fault(`${channel} ${String(seq)} is ${id}, and not ${String(of.ids[seq - 1])}`);
    }
    if (position) this.at.set(channel, position);
    this.mark(channel);
  }

  private hearRefetch(channel: string): void {
    this.counts.refetches += 1;
    const position = this.client.position(channel);
    if (position) this.at.set(channel, position);
  }

  // --- The server ---

  publish(channel: string): void {
    const of = this.channels.get(channel);
    if (!of || of.isFrozen) return;
    of.ids.push(`id-${String((this.published += 1))}`);
    const frame = this.event(channel, of.ids.length);
    for (const socket of this.sockets) {
      const isIn = !channel.startsWith('room:') || socket.rooms.has(channel.slice(5));
      if (!isIn || this.chance(0.08)) continue;
      this.later(() => {
        socket.deliver(frame);
        if (this.chance(0.1)) socket.deliver(frame);
      });
    }
  }

  private event(channel: string, seq: number): Json {
    const id = this.channels.get(channel)?.ids[seq - 1];
    return { event: 'product.approved', timestamp: 't', data: {}, id, channel, seq };
  }

  private head(channel: string): Position {
    const of = this.channels.get(channel);
    return at(of?.ids.length ?? 0, of?.epoch ?? '');
  }

  /** A channel gets a new epoch, or a backup is restored; every connection ends. */
  renumber(channel: string): void {
    const of = this.channels.get(channel);
    if (!of) return;
    if (this.chance(0.5))
      Object.assign(of, { epoch: `e${String((this.published += 1))}`, ids: [] });
    else {
      const mine = this.client.position(channel);
      if (mine?.epoch !== of.epoch) return;
      of.ids.splice(Math.max(0, mine.seq - 1 - this.below(5)));
      of.isFrozen = true;
    }
    for (const socket of this.sockets) {
      socket.isDead = true;
      socket.end();
    }
  }

  greet(socket: WildSocket): void {
    if (this.chance(0.05)) return;
    const given = new URL(socket.address).searchParams.get('positions') ?? '';
    const since = new Map(
      given
        .split(',')
        .filter(Boolean)
        .map((one) => {
          const parts = one.split(':');
          const seq = Number(parts.pop());
          return [parts.slice(0, -1).join(':'), at(seq, parts.at(-1))];
        }),
    );
    const mine = ['user', 'user:1'];
    const times = this.chance(0.1) ? 2 : 1;
    for (let count = 0; count < times; count += 1) {
      this.later(() => {
        const positions = Object.fromEntries(mine.map((channel) => [channel, this.head(channel)]));
        const recovering = this.chance(0.3) ? [] : mine.filter((channel) => since.has(channel));
        const frame = connected(0, {
          positions,
          recovering,
          ping: 30,
          seconds: [20, 300, 7200][this.below(3)] ?? 7200,
        });
        const missed = recovering.length ? this.missed(recovering, since) : [];
        if (this.chance(0.1)) missed.splice(this.below(missed.length + 1)); // interrupted
        this.send(socket, [frame, ...missed], () => {
          for (const channel of mine) this.thaw(channel);
        });
      });
    }
  }

  /** A client that reads has received the channel's position. */
  private thaw(channel: string): void {
    const of = this.channels.get(channel);
    if (of) of.isFrozen = false;
  }

  private missed(channels: string[], since: ReadonlyMap<string, Position>): Json[] {
    const frames: Json[] = [];
    const answers: Json = {};
    for (const channel of channels) {
      const head = this.head(channel);
      const { epoch, seq } = since.get(channel) ?? head;
      const count = head.seq - seq;
      const recovered =
        epoch === head.epoch && count >= 0 && count <= RECOVERY_LIMIT && !this.chance(0.05);
      for (let next = seq + 1; recovered && next <= head.seq; next += 1)
        frames.push(this.event(channel, next));
      answers[channel] = { ...head, recovered };
    }
    return [
      ...frames,
      { event: 'recovered', timestamp: 't', data: { recovered: true, channels: answers } },
    ];
  }

  /** Frames in order, alone or in batches. */
  private send(socket: WildSocket, frames: Json[], then: () => void = () => undefined): void {
    const texts = this.chance(0.5) || this.isKind ? [{ event: 'batch', events: frames }] : frames;
    this.later(() => {
      const wasOpen = socket.readyState === 1 && !socket.isDead && !socket.isUnwanted;
      for (const frame of texts) {
        socket.deliver(frame);
        if (this.chance(0.02))
          socket.deliver(['', 'null', '{"message":"Internal server error"}'][this.below(3)] ?? '');
      }
      if (wasOpen) then();
    });
  }

  answer(socket: WildSocket, message: Json): void {
    if (this.chance(0.05)) return;
    const codes = [
      'busy',
      'too_many_requests',
      'message_invalid',
      'connection_expired',
      'of_tomorrow',
    ];
    if (this.chance(0.05)) {
      const retry = this.chance(0.5) ? this.below(90) : null;
      this.send(socket, [error(codes[this.below(codes.length)] ?? '', { retry_after: retry })]);
      return;
    }
    const room = String(message['room']);
    switch (message['type']) {
      case 'ping':
        this.send(socket, [{ event: 'pong' }]);
        break;
      case 'join':
        if (this.chance(0.1)) {
          this.send(socket, [error(this.chance(0.5) ? 'room_forbidden' : 'too_many_rooms')]);
        } else {
          socket.rooms.add(room);
          this.thaw(`room:${room}`);
          const { epoch, seq } = this.head(`room:${room}`);
          this.send(socket, [joined(room, seq, epoch)]);
        }
        break;
      case 'leave':
        socket.rooms.delete(room);
        this.send(socket, [left(room)]);
        break;
      case 'auth':
        if (this.chance(0.3)) this.send(socket, [error('token_expired')]);
        else this.send(socket, [{ event: 'authenticated', ...lasting(this.below(7200)) }]);
        break;
      case 'resume': {
        const since = new Map(Object.entries(message['positions'] as Record<string, Position>));
        const frames = this.missed([...since.keys()], since);
        if (this.chance(0.15)) {
          frames.splice(this.below(frames.length), frames.length);
          if (this.chance(0.7)) frames.push(error('recovery_interrupted'));
        }
        this.send(socket, frames);
      }
    }
  }

  // --- What must hold after every step ---

  check(): void {
    for (const channel of this.channels.keys()) this.mark(channel);
    const wanted = this.sockets.filter((each) => each.readyState !== 3 && !each.isUnwanted);
    const live = this.sockets.filter((each) => each.readyState === 1 && !each.isClosedOnceOpen);
    const { state } = this.client.status;
    if (wanted.length > 1) this.fault(`${String(wanted.length)} sockets are wanted`);
    if (live.length > 1) this.fault(`${String(live.length)} sockets are open`);
    const isIdle = state === 'stopped' || state === 'paused' || state === 'offline';
    if (isIdle && (wanted.length || live.length)) this.fault(`a socket is open while ${state}`);
    if (this.told && this.told !== this.client.status) {
      this.fault(
        `the app was told ${JSON.stringify(this.told)} of ${JSON.stringify(this.client.status)}`,
      );
    }
    this.sockets = this.sockets.filter((each) => each.readyState !== 3);
  }

  /** The final state, after a time without failures. */
  checkEnd(): void {
    if (this.client.status.state !== 'online')
      this.fault(`it ends as ${JSON.stringify(this.client.status)}`);
    for (const channel of ['user', 'user:1']) {
      const [mine, head] = [this.client.position(channel), this.head(channel)];
      if (mine?.seq !== head.seq || mine.epoch !== head.epoch) {
        this.fault(
          `${channel} ends at ${JSON.stringify(mine)}, and not at ${JSON.stringify(head)}`,
        );
      }
    }
    if (this.waiting.size) this.fault(`nothing came of ${[...this.waiting].join(', ')}`);
  }
}
