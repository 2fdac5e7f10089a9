/** One socket for all tabs of an account: the tab with the Web Lock opens it and feeds the others. */

import type { Socket } from './types.js';

/** An event of the server; only the fields that tabs use are typed. */
interface Event {
  readonly event: string;
  readonly timestamp?: string;
  readonly channel?: string;
  readonly seq?: number;
  readonly data?: {
    readonly room?: string;
    readonly code?: string;
    readonly expires_at?: string;
    readonly positions?: Record<string, { epoch: string; seq: number }>;
    readonly recovering?: readonly string[];
  };
}

/** The messages of a tab to the tab with the socket. They never contain a token: each tab has its own. */
type Request =
  | { readonly kind: 'hello' | 'bye'; readonly tab: string }
  | { readonly kind: 'send'; readonly tab: string; readonly text: string };

/** The tab that the message is for; without it, all tabs. */
interface Addressed {
  readonly to?: string | undefined;
}

/** The messages of the tab with the socket. */
type News =
  | ({ readonly kind: 'open' } & Addressed)
  | { readonly kind: 'events'; readonly events: readonly ({ readonly event: Event } & Addressed)[] }
  | { readonly kind: 'closed' };

/** The sender: messages of the previous tab with the socket are not for tabs that wait for the next one. */
type Note = Request | (News & { readonly from: string });

interface Message {
  readonly type?: string;
  readonly room?: string;
}

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;

/** The server answers within 29 seconds, or not at all. */
const ANSWER_TIMEOUT_MS = 30_000;

/** The lock may pass on before the last messages of its former tab arrive. */
const NOTES_TIMEOUT_MS = 250;

/** Each request with the event that answers it, if `error` does not. */
const ANSWERS: Readonly<Record<string, string>> = {
  resume: 'recovered',
  join: 'joined',
  leave: 'left',
  auth: 'authenticated',
};
/** `authenticated` is for all tabs. */
const FOR_ONE_TAB = new Set(['recovered', 'joined', 'left', 'error']);

/* A tab's socket, which is open as long as the one that all tabs share.
 *
 * The tab that holds the lock opens the shared socket. When this socket closes, or its tab ends, the
 * sockets of all tabs close: their clients connect again, the first of them with the lock, and resume.
 */
export class TabSocket implements Socket {
  readyState = CONNECTING;
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onerror: Socket['onerror'] = null;
  onclose: Socket['onclose'] = null;

  readonly #tab = crypto.randomUUID();
  readonly #channel: BroadcastChannel;
  readonly #waiting = new AbortController();
  readonly #rooms = new Set<string>();
  #release: () => void = () => undefined;
  #line: Line | null = null;
  /** The tab with the socket, once the socket has opened. */
  #feeder: string | null = null;
  #expiry: Event | null = null;

  /** `name` is the same in all tabs that share. `open` opens the shared socket, if this tab gets the lock. */
  constructor(name: string, open: () => WebSocket) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: MessageEvent<Note>) => {
      this.#take(data);
    };
    const { signal } = this.#waiting;
    navigator.locks
      .request(name, { signal }, () => this.#lead(open))
      .catch((problem: unknown) => {
        if (!signal.aborted) this.#end(); // the page has no locks, or is being unloaded
        return problem;
      });
    this.#channel.postMessage({ kind: 'hello', tab: this.#tab } satisfies Note);
  }

  send(text: string): void {
    const { type, room } = JSON.parse(text) as Message;
    if (type === 'join' && room !== undefined) this.#rooms.add(room);
    if (type === 'leave' && room !== undefined) this.#rooms.delete(room);
    if (this.#line) this.#line.send(this.#tab, text);
    else if (type === 'auth') this.#answerAuth();
    else this.#channel.postMessage({ kind: 'send', tab: this.#tab, text } satisfies Note);
  }

  close(): void {
    if (this.readyState === CLOSED) return;
    if (this.#line) this.#broadcast({ kind: 'closed' });
    else this.#channel.postMessage({ kind: 'bye', tab: this.#tab } satisfies Note);
    this.#end();
  }

  /** Holds the lock until the returned promise resolves. */
  async #lead(open: () => WebSocket): Promise<void> {
    if (this.readyState === OPEN) await this.#closeForAll();
    if (this.readyState === CLOSED) return;
    this.#line = new Line(open(), this.#tab, (news) => {
      this.#broadcast(news);
    });
    await new Promise<void>((resolve) => {
      this.#release = resolve;
    });
  }

  /** The tab with the socket has ended. If no message follows, it ended without notice. */
  async #closeForAll(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, NOTES_TIMEOUT_MS));
    if (this.readyState === OPEN && this.#feeder) this.#broadcast({ kind: 'closed' }, this.#feeder);
  }

  #broadcast(news: News, from: string = this.#tab): void {
    const note = { ...news, from };
    this.#channel.postMessage(note);
    this.#take(note);
  }

  #take(note: Note): void {
    if (!('from' in note)) {
      this.#line?.take(note);
    } else if (note.kind === 'open') {
      if (this.#isFor(note) && this.readyState === CONNECTING) this.#open(note.from);
    } else if (note.from === this.#feeder) {
      if (note.kind === 'closed') this.#end();
      else this.#deliver(note.events.filter((each) => this.#isFor(each)).map(({ event }) => event));
    } else if (note.kind === 'closed' && note.from === this.#tab) {
      this.#end(); // before the socket opened; the other tabs wait for the lock
    }
  }

  #open(feeder: string): void {
    this.#feeder = feeder;
    this.readyState = OPEN;
    this.onopen?.(undefined as never);
  }

  #deliver(all: readonly Event[]): void {
    const mine = all.filter(({ channel }) => this.#isMine(channel));
    const events = this.#line ? mine : mine.map(withoutRecovery);
    const [first] = events;
    if (!first) return;
    for (const event of events) if (event.data?.expires_at !== undefined) this.#expiry = event;
    const frame = events.length === 1 ? first : { event: 'batch', events };
    this.onmessage?.({ data: JSON.stringify(frame) } as never);
  }

  #isFor({ to }: Addressed): boolean {
    return to === undefined || to === this.#tab;
  }

  #isMine(channel: string | undefined): boolean {
    return !channel?.startsWith('room:') || this.#rooms.has(channel.slice('room:'.length));
  }

  /** The tab with the socket extends it with its own token: this tab gets the same end. */
  #answerAuth(): void {
    const { timestamp, data } = this.#expiry ?? {};
    const answer = { event: 'authenticated', timestamp, data: { expires_at: data?.expires_at } };
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(answer) } as never));
  }

  #end(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#line?.close();
    this.#waiting.abort();
    this.#release();
    this.#channel.close();
    queueMicrotask(() => this.onclose?.(undefined as never));
  }
}

/** A request of a tab, and its room. */
interface Asked {
  readonly tab: string;
  readonly type: string;
  readonly room: string;
}

/** The shared socket. It sends one request at a time, so that it is clear which tab an `error` is for. */
class Line {
  readonly #socket: WebSocket;
  readonly #owner: string;
  readonly #emit: (news: News) => void;
  readonly #members = new Map<string, Set<string>>();
  #queue: (Asked & { readonly text: string })[] = [];
  #asked: Asked | null = null;
  /** Requests that timed out: their answers may still come. */
  #late: Asked[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #greeting: Event | null = null;
  #greetedAt = 0;
  #isPinged = false;

  constructor(socket: WebSocket, owner: string, emit: (news: News) => void) {
    this.#socket = socket;
    this.#owner = owner;
    this.#emit = emit;
    socket.onopen = () => {
      emit({ kind: 'open' });
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      this.#receive(eventsIn(data));
    };
    socket.onclose = () => {
      emit({ kind: 'closed' });
    };
  }

  take(note: Request): void {
    if (note.kind === 'hello') this.#greet(note.tab);
    if (note.kind === 'send') this.send(note.tab, note.text);
    if (note.kind === 'bye') this.#forget(note.tab);
  }

  send(tab: string, text: string): void {
    const { type = '', room = '' } = JSON.parse(text) as Message;
    if (type === 'ping') {
      this.#ping(text);
    } else if (type === 'leave' && !this.#leave(tab, room)) {
      const left = { event: 'left', timestamp: new Date().toISOString(), data: { room } };
      this.#emit({ kind: 'events', events: [{ event: left, to: tab }] });
    } else if (type in ANSWERS) {
      if (type === 'join') this.#join(tab, room);
      this.#queue.push({ tab, type, room, text });
      if (!this.#asked) this.#ask();
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket.onclose = null;
    this.#socket.onmessage = null;
    this.#socket.close();
  }

  #receive(events: readonly Event[]): void {
    this.#isPinged = false;
    // First, because a tab may send a request as soon as it gets the events.
    const noted = events.map((event) => ({ event, to: this.#note(event) }));
    this.#emit({ kind: 'events', events: noted });
  }

  /** Returns the one tab that an event is for. */
  #note(event: Event): string | undefined {
    if (event.event === 'connected') this.#begin(event);
    if (event.event === 'authenticated') this.#extend(event);
    const position = this.#greeting?.data?.positions?.[event.channel ?? ''];
    if (position && event.seq === position.seq + 1) position.seq += 1;
    const asked = this.#settle(event);
    return FOR_ONE_TAB.has(event.event) ? (asked?.tab ?? this.#owner) : undefined;
  }

  /** Ends the request that an event answers, and returns it. */
  #settle(event: Event): Asked | undefined {
    const asked = [this.#asked, ...this.#late].find((each) => each && isAnswer(event, each));
    if (!asked) return undefined;
    this.#late = this.#late.filter((each) => each !== asked);
    if (asked === this.#asked) this.#ask();
    return asked;
  }

  #begin(connected: Event): void {
    this.#greeting = structuredClone(withoutRecovery(connected));
    this.#greetedAt = performance.now();
    // `recovered` follows, and is for the tab whose positions were in the handshake.
    if (connected.data?.recovering?.length)
      this.#await({ tab: this.#owner, type: 'resume', room: '' });
  }

  #extend({ timestamp, data }: Event): void {
    if (!this.#greeting || !timestamp || !data?.expires_at) return;
    const extended = { ...this.#greeting.data, expires_at: data.expires_at };
    this.#greeting = { ...this.#greeting, timestamp, data: extended };
    this.#greetedAt = performance.now();
  }

  /** Sends a tab that connects now the `connected` that the server would send, from known positions. */
  #greet(tab: string): void {
    if (this.#socket.readyState !== OPEN) return;
    this.#emit({ kind: 'open', to: tab });
    if (!this.#greeting) return;
    const elapsed = performance.now() - this.#greetedAt;
    const now = new Date(Date.parse(this.#greeting.timestamp ?? '') + elapsed).toISOString();
    const event = { ...this.#greeting, timestamp: now };
    this.#emit({ kind: 'events', events: [{ event, to: tab }] });
  }

  #ping(text: string): void {
    if (!this.#isPinged) this.#socket.send(text);
    this.#isPinged = true;
  }

  /** Sends the next request after the previous one was answered, or has timed out. */
  #ask(): void {
    clearTimeout(this.#timer);
    this.#asked = null;
    const next = this.#queue.shift();
    if (!next) return;
    this.#await(next);
    this.#socket.send(next.text);
  }

  #await(asked: Asked): void {
    this.#asked = asked;
    this.#timer = setTimeout(() => {
      this.#late.push(asked);
      this.#ask();
    }, ANSWER_TIMEOUT_MS);
  }

  #join(tab: string, room: string): void {
    const members = this.#members.get(room) ?? new Set();
    this.#members.set(room, members.add(tab));
  }

  /** Returns whether to leave the room, because no other tab is in it. */
  #leave(tab: string, room: string): boolean {
    const members = this.#members.get(room);
    members?.delete(tab);
    return !members?.size;
  }

  /** A tab that ends leaves no room: its user may return, and recovers the room's events. */
  #forget(tab: string): void {
    for (const members of this.#members.values()) members.delete(tab);
    this.#queue = this.#queue.filter((each) => each.tab !== tab);
    this.#late = this.#late.filter((each) => each.tab !== tab);
  }
}

function isAnswer({ event, data }: Event, { type, room }: Asked): boolean {
  if (event === 'error') return type === 'auth' || !data?.code?.startsWith('token_');
  return event === ANSWERS[type] && room === (data?.room ?? '');
}

/** Other tabs resume from their own positions. */
function withoutRecovery(event: Event): Event {
  return event.event === 'connected'
    ? { ...event, data: { ...event.data, recovering: [] } }
    : event;
}

/** The events of a frame; none if it is not an event, like API Gateway's own frames. */
function eventsIn(data: unknown): readonly Event[] {
  try {
    const frame = JSON.parse(String(data)) as Event & { events?: readonly Event[] };
    if (frame.event === 'batch') return frame.events ?? [];
    return typeof frame.event === 'string' ? [frame] : [];
  } catch {
    return [];
  }
}
