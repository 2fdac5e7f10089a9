/** One connection, from the server's side, and the socket that the client holds. */

import type { Account, Position, Socket } from '../types.js';

/** The reason for which the server ends a connection, or `null` for a lost network. */
export type End = string | null;

type Frame = Record<string, unknown>;

const OPEN = 1;
const CLOSED = 3;

let made = 0;

/** The part of the server that a connection uses. */
export interface Port {
  /** While true, all frames are held back, and every socket looks open. */
  readonly isHeld: boolean;
  connect(connection: FakeConnection): void;
  /** Returns whether the handshake succeeds. */
  accept(connection: FakeConnection): boolean;
  heed(connection: FakeConnection, message: Frame): void;
  leave(connection: FakeConnection): void;
}

/** A client's connection. */
export class FakeConnection {
  /** The messages of the client, in order, pings included. */
  readonly messages: Frame[] = [];
  readonly rooms = new Set<string>();
  /** The channels of the type, the identity, and the rooms. */
  readonly channels = new Set<string>();
  readonly takesBatches: boolean;
  /** Positions of the handshake. */
  readonly positions: Readonly<Record<string, Position>>;
  isOpen = false;
  readonly id = `connection-${String((made += 1))}`;
  /** The account, once the connection is accepted. */
  account: Account | null = null;

  readonly #server: Port;
  readonly #socket: ServerSocket;
  #held: (() => void)[] = [];

  constructor(
    server: Port,
    socket: ServerSocket,
    readonly address: URL,
    readonly token: string | null,
  ) {
    this.#server = server;
    this.#socket = socket;
    this.takesBatches = address.searchParams.get('batch') === '1';
    this.positions = positionsIn(address.searchParams.get('positions') ?? '');
    this.#soon(() => {
      this.#open();
    });
  }

  /** Sends events: several in one frame if the client takes batches. */
  send(...events: readonly object[]): void {
    if (events.length > 1 && this.takesBatches)
      this.sendText(JSON.stringify({ event: 'batch', events }));
    else for (const event of events) this.sendText(JSON.stringify(event));
  }

  /** Sends a frame unchanged, also one that is not an event. */
  sendText(text: string): void {
    this.#soon(() => this.#socket.onmessage?.({ data: text } as never));
  }

  /** Ends the connection: with a `closing` reason, or like a lost network. */
  close(reason: End = null): void {
    if (reason !== null) {
      this.send({ event: 'closing', timestamp: new Date().toISOString(), data: { reason } });
    }
    this.#soon(() => {
      this.#end();
    });
  }

  /** From the client's side. */
  take(text: string): void {
    this.#soon(() => {
      const message = parsed(text);
      this.messages.push(message);
      this.#server.heed(this, message);
    });
  }

  leave(): void {
    this.isOpen = false;
    this.#held = [];
    this.#server.leave(this);
    queueMicrotask(() => {
      this.#end();
    });
  }

  /** Delivers frames that were held back. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const step of held) this.#soon(step);
  }

  #open(): void {
    if (this.#socket.readyState === CLOSED) return;
    if (!this.#server.accept(this)) {
      this.#socket.onerror?.(undefined as never);
      this.#end();
      return;
    }
    this.isOpen = true;
    this.#socket.readyState = OPEN;
    this.#socket.onopen?.(undefined as never);
  }

  #end(): void {
    if (this.#socket.readyState === CLOSED) return;
    this.#socket.readyState = CLOSED;
    this.isOpen = false;
    this.#server.leave(this);
    this.#socket.onclose?.(undefined as never);
  }

  /** Runs steps one after another, as over a network: never within the call that caused them. */
  #soon(step: () => void): void {
    queueMicrotask(() => {
      if (this.#socket.readyState === CLOSED) return;
      if (this.#server.isHeld || this.#held.length > 0) this.#held.push(step);
      else step();
    });
  }
}

/** The client's end. */
export class ServerSocket implements Socket {
  readyState = 0;
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onerror: Socket['onerror'] = null;
  onclose: Socket['onclose'] = null;
  readonly #connection: FakeConnection;

  constructor(server: Port, address: URL, token: string | null) {
    this.#connection = new FakeConnection(server, this, address, token);
    server.connect(this.#connection);
  }

  send(text: string): void {
    if (this.readyState === 0) throw new Error('This socket is not open yet.');
    this.#connection.take(text);
  }

  close(): void {
    if (this.readyState !== CLOSED) this.#connection.leave();
  }
}

function parsed(text: string): Frame {
  try {
    return JSON.parse(text) as Frame;
  } catch {
    return { type: 'not JSON', text };
  }
}

/** Parses `CHANNEL:EPOCH:SEQ,…`; a channel may contain a colon. */
function positionsIn(query: string): Record<string, Position> {
  const found = [...query.matchAll(/(?:^|,)([^,]+):([^:,]+):(\d+)/g)];
  return Object.fromEntries(
    found.map(([, channel = '', epoch = '', seq]) => [channel, { epoch, seq: Number(seq) }]),
  );
}
