/** An app, its platform and a server that a test controls, all in virtual time. */

import { expect, vi } from 'vitest';
import { VitrinaClient } from '../src/client.js';
import type {
  ClientOptions,
  Hints,
  Platform,
  Socket,
  Status,
  Store,
  Times,
  Tokens,
} from '../src/types.js';

export type Json = Record<string, unknown>;
type Handler = ((event: never) => void) | null;

/** A socket, from the server's side. `open`, `receive` and `end` are events of the network. */
export class FakeSocket implements Socket {
  onopen: Handler = null;
  onmessage: Handler = null;
  onerror: Handler = null;
  onclose: Handler = null;
  readyState = 0;
  readonly sent: Json[] = [];
  /** Android's: `close()` does nothing during the handshake. */
  isStubborn = false;

  constructor(
    readonly address: string,
    readonly token: string,
  ) {}

  get isLive(): boolean {
    return this.readyState === 1;
  }

  open(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.onopen?.({} as never);
  }

  /** Delivers frames, each by itself. */
  receive(...frames: (Json | string)[]): void {
    for (const frame of frames) {
      const data = typeof frame === 'string' ? frame : JSON.stringify(frame);
      if (this.readyState === 1) this.onmessage?.({ data } as never);
    }
  }

  end(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({} as never);
  }

  send(text: string): void {
    if (this.readyState !== 1) throw new Error('InvalidStateError');
    this.sent.push(JSON.parse(text) as Json);
  }

  close(): void {
    if (this.readyState === 0 && this.isStubborn) return;
    this.readyState = 3;
  }

  /** Returns the messages since the last call, without pings. */
  take(): Json[] {
    return this.sent.splice(0).filter(({ type }) => type !== 'ping');
  }

  takePings(): Json[] {
    return this.sent.splice(0).filter(({ type }) => type === 'ping');
  }
}

/** A store as `localStorage`, whose calls may be replaced. */
export function memory(
  initial: Record<string, string> = {},
): Store & { items: Map<string, string> } {
  const items = new Map(Object.entries(initial));
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => {
      items.set(key, value);
    },
    removeItem: (key) => {
      items.delete(key);
    },
  };
}

export const KEY = 'vitrina:positions:user';

export type GivenOptions = Partial<Omit<ClientOptions, 'platform' | 'times' | 'tokens'>> & {
  platform?: Partial<Platform>;
  times?: Partial<Times>;
  /** Returned one after another; the last one is repeated. */
  tokens?: (string | null | Error | Promise<string | null>)[];
  get?: Tokens['get'];
  logout?: () => Promise<void>;
};

export type App = ReturnType<typeof createApp>;

/** Makes a client and records its callbacks and requests. Pauses are half of their limit. */
export function createApp({
  platform,
  times,
  tokens = ['T1'],
  get,
  logout,
  ...more
}: GivenOptions = {}) {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const sockets: FakeSocket[] = [];
  const asked: boolean[] = [];
  const signals: AbortSignal[] = [];
  let hints: Hints | null = null;
  const socket: { isStubborn: boolean } = { isStubborn: false };
  const client = new VitrinaClient({
    url: 'https://example.com',
    as: 'user',
    ...more,
    ...(times && { times }),
    tokens: {
      get: (options) => {
        asked.push(options.fresh);
        signals.push(options.signal);
        if (get) return get(options);
        const given = tokens.length > 1 ? tokens.shift() : tokens[0];
        return given instanceof Error ? Promise.reject(given) : Promise.resolve(given ?? null);
      },
      ...(logout && { logout }),
    },
    platform: {
      openSocket: (address, token) => {
        const opened = new FakeSocket(address, token);
        opened.isStubborn = socket.isStubborn;
        sockets.push(opened);
        return opened;
      },
      fetch: () => Promise.reject(new Error('no network')),
      watch: (given) => {
        hints = given;
        return () => {
          hints = null;
        };
      },
      ...platform,
    },
  });
  const statuses: Status[] = [];
  const seqs: number[] = [];
  const events: Json[] = [];
  const refetches: string[] = [];
  const errors: string[] = [];
  client.onStatus((status) => statuses.push(status));
  client.on('*', (event) => {
    seqs.push(event.seq);
    events.push(event);
  });
  client.onRefetch((channel) => refetches.push(channel));
  client.onError((error) => errors.push('code' in error ? String(error.code) : error.message));

  return {
    ...{ client, sockets, asked, signals, statuses, seqs, events, refetches, errors },
    /** Sockets made from now on ignore `close()` during the handshake. */
    makeStubborn: () => (socket.isStubborn = true),
    get hints(): Hints {
      expect(hints).not.toBeNull();
      return hints as unknown as Hints;
    },
    get isWatched(): boolean {
      return hints !== null;
    },
    get states(): string[] {
      return statuses.map(({ state }) => state);
    },
    get live(): FakeSocket[] {
      return sockets.filter(({ isLive }) => isLive);
    },
    /** Waits until the client has made its next socket, which is then opened. */
    accept: async (number?: number): Promise<FakeSocket> => {
      const made = await nextSocket(sockets, number);
      made.open();
      return made;
    },
    /** The next socket, whose handshake is under way. */
    handshake: (number?: number): Promise<FakeSocket> => nextSocket(sockets, number),
    /** Connects, greeted at a position. */
    connect: async (seq = 0): Promise<FakeSocket> => {
      client.start();
      const here = await nextSocket(sockets);
      here.open();
      here.receive(connected(seq));
      return here;
    },
  };
}

const accepted = new WeakSet<FakeSocket>();

async function nextSocket(sockets: FakeSocket[], number = 0): Promise<FakeSocket> {
  for (let waited = 0; waited < 200; waited += 1) {
    const made = sockets.filter((each) => !accepted.has(each))[number];
    if (made) {
      accepted.add(made);
      return made;
    }
    await vi.advanceTimersByTimeAsync(waited < 5 ? 0 : 1000);
  }
  throw new Error('The client has made no socket.');
}

export const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

// --- Frames ---

export const at = (seq: number, epoch = 'e'): { epoch: string; seq: number } => ({ epoch, seq });

/** The end of a duration, by a server's clock that differs from the app's. */
export function lasting(seconds: number): { timestamp: string; data: { expires_at: string } } {
  const now = Date.UTC(2024, 0, 1, 12);
  const end = new Date(now + seconds * 1000).toISOString();
  return { timestamp: new Date(now).toISOString(), data: { expires_at: end } };
}

const json = (value: Json): Json => value;

export function connected(
  seq = 0,
  {
    epoch = 'e',
    seconds = 7200,
    ping = 30,
    recovering = [] as string[],
    positions = json({ user: at(seq, epoch) }),
  } = {},
): Json {
  const ends = lasting(seconds);
  const data = { ...ends.data, ping_interval_seconds: ping, positions, recovering };
  return { event: 'connected', timestamp: ends.timestamp, data };
}

export const event = (seq: number, channel = 'user'): Json => ({
  event: 'product.approved',
  timestamp: '2024-01-01T12:00:00Z',
  data: { product_id: seq },
  id: `id-${String(seq)}`,
  channel,
  seq,
});

export const events = (first: number, last: number): Json[] =>
  Array.from({ length: last - first + 1 }, (_, index) => event(first + index));

export const batch = (...all: Json[]): Json => ({ event: 'batch', events: all });

export const recovered = (
  seq: number,
  { epoch = 'e', channel = 'user', isRecovered = true } = {},
): Json => ({
  event: 'recovered',
  data: {
    recovered: isRecovered,
    channels: { [channel]: { ...at(seq, epoch), recovered: isRecovered } },
  },
});

export const resume = (seq: number, { epoch = 'e', channel = 'user' } = {}): Json => ({
  type: 'resume',
  positions: { [channel]: at(seq, epoch) },
});

export const error = (code: string, more: Json = {}): Json => ({
  event: 'error',
  data: { code, message: 'A sentence.', retry_after: null, ...more },
});

export const closing = (reason: string): Json => ({ event: 'closing', data: { reason } });

export const authenticated = (seconds: number): Json => ({
  event: 'authenticated',
  ...lasting(seconds),
});

export const joined = (room: string, seq: number, epoch = 'e'): Json => ({
  event: 'joined',
  data: { room, channel: `room:${room}`, position: at(seq, epoch) },
});

export const left = (room: string): Json => ({ event: 'left', data: { room } });
