/** The five rules of protocol.md for published events, without I/O. */

import type { Published } from './frames.js';
import type { Position } from './types.js';

/** The maximum number of events that a channel holds back; further events are dropped and requested again. */
export const MAX_EARLY_EVENTS = 1000;
/** The maximum length of `positions` in a handshake. */
const MAX_HANDSHAKE_CHARACTERS = 256;
const IN_HANDSHAKE = /^(user|shop|admin)(:\d+)?:[\w-]{1,64}:\d{1,15}$/;

export interface Resume {
  type: 'resume';
  positions: Record<string, Position>;
}

/* A channel's position has moved: by an event, past events that are lost (`refetch`), or to the
 * channel's first position in this client. Without a position the channel is deleted.
 */
export type Move = (channel: string, position: Position | null, cause: Cause) => void;
export type Cause = Published | 'refetch' | null;

/** The part of `connected` that is about channels. */
export interface Details {
  readonly positions: Readonly<Record<string, Position>>;
  readonly recovering?: readonly string[];
}

type Recovery = Position & { readonly recovered: boolean };

export type Inbox = ReturnType<typeof createInbox>;

/** `move` is called for each event of a channel once and in order, also for what is to be refetched. */
export function createInbox(move: Move) {
  const positions = new Map<string, Position>();
  const early = new Map<string, Map<number, Published>>();
  /** Channels of this connection, rooms once they are joined. */
  const open = new Set<string>();
  /** Channels with a `resume` that was not answered, or that are recovered without one. */
  const asked = new Set<string>();
  /** Channels to request once the frame is processed. */
  const missing = new Set<string>();
  /** Channels whose position does not fit the server's numbers, until `recovered` gives a new one. */
  const renumbered = new Set<string>();
  /** Channels of which events were dropped, because too many were held back. */
  const dropped = new Set<string>();
  /** True when positions may have been lost: a channel without one is refetched. */
  let isUncertain = false;

  /** Replaces all positions; `isWhole` is false if there may have been others. */
  function restore(known: Iterable<readonly [string, Position]>, isWhole = !isUncertain): void {
    positions.clear();
    for (const [channel, position] of known) positions.set(channel, position);
    isUncertain = !isWhole;
  }

  /**
   * Begins a connection, and returns the positions for its handshake.
   * Events that were held back come again, because the positions are before them. Rooms are joined later.
   */
  function begin(): string {
    for (const kept of [early, open, asked, missing, renumbered, dropped]) kept.clear();
    let text = '';
    for (const [channel, { epoch, seq }] of positions) {
      const one = `${channel}:${epoch}:${String(seq)}`;
      const longer = text ? `${text},${one}` : one;
      if (IN_HANDSHAKE.test(one) && longer.length <= MAX_HANDSHAKE_CHARACTERS) text = longer;
    }
    return text;
  }

  /** Handles `connected`. After this, as after every frame, `resume` returns the request to send. */
  function connect({ positions: given, recovering = [] }: Details): void {
    const isOther = (channel: string) => !(channel in given) && !channel.startsWith('room:');
    if ([...positions.keys()].some(isOther)) {
      [...positions.keys()].forEach(leave); // they belong to another account
      isUncertain = true;
    }
    for (const [channel, position] of Object.entries(given)) {
      asked.delete(channel);
      meet(channel, position);
      if (!recovering.includes(channel)) continue;
      asked.add(channel);
      missing.delete(channel);
    }
  }

  /** Handles `joined`: begins at the channel's position, or continues from this client's (rule 1). */
  function meet(channel: string, given: Position): void {
    const mine = positions.get(channel);
    if (!mine) {
      moveTo(channel, given, isUncertain ? 'refetch' : null);
    } else if (mine.epoch !== given.epoch || (mine.seq > given.seq && !open.has(channel))) {
      renumbered.add(channel);
    }
    open.add(channel);
    apply(channel);
    if (renumbered.has(channel) || isBehind(channel, given)) missing.add(channel);
  }

  function isBehind(channel: string, { epoch, seq }: Position): boolean {
    const mine = positions.get(channel);
    return mine !== undefined && (mine.epoch !== epoch || mine.seq < seq);
  }

  /** Handles an event: the events of a channel may come in any order, and repeatedly. */
  function receive(event: Published): void {
    const { channel, seq } = event;
    const waiting = early.get(channel) ?? new Map<number, Published>();
    early.set(channel, waiting.set(seq, event));
    apply(channel);
    if (waiting.size > MAX_EARLY_EVENTS) {
      waiting.delete(seq);
      dropped.add(channel);
    }
  }

  /** Applies the next events (rule 3), drops repeats (rule 2), and holds the rest back (rule 4). */
  function apply(channel: string): void {
    const waiting = early.get(channel);
    if (!waiting || !open.has(channel) || renumbered.has(channel)) return;
    for (let position; (position = positions.get(channel));) {
      const event = waiting.get(position.seq + 1);
      if (!event) break;
      moveTo(channel, { epoch: position.epoch, seq: event.seq }, event);
    }
    const { seq: last } = positions.get(channel) ?? { seq: -1 };
    for (const seq of waiting.keys()) if (seq <= last) waiting.delete(seq);
  }

  function moveTo(channel: string, { epoch, seq }: Position, cause: Cause): void {
    const position = { epoch, seq };
    positions.set(channel, position);
    move(channel, position, cause);
  }

  /** Handles `recovered`: of each channel all missed events have arrived, or none (rule 5). */
  function recover(channels: Readonly<Record<string, Recovery>>): void {
    for (const [channel, recovery] of Object.entries(channels)) end(channel, recovery);
  }

  function end(channel: string, recovery: Recovery): void {
    asked.delete(channel);
    missing.delete(channel);
    const isElsewhere =
      renumbered.delete(channel) || (!recovery.recovered && isBehind(channel, recovery));
    if (!positions.has(channel)) return; // of a room that was left meanwhile
    if (isElsewhere) moveTo(channel, recovery, 'refetch');
    apply(channel);
    if (isBehind(channel, recovery)) missing.add(channel);
  }

  /** Deletes a channel: a room that is left and joined again begins at its position of that moment. */
  function leave(channel: string): void {
    for (const kept of [positions, early, open, asked, missing, renumbered, dropped]) {
      kept.delete(channel);
    }
    move(channel, null, null);
  }

  /** Returns the request for all gaps that are not requested yet, or null. */
  function resume(): Resume | null {
    for (const channel of open) {
      const hasGap = dropped.has(channel) || (early.get(channel)?.size ?? 0) > 0;
      if (hasGap && !asked.has(channel)) missing.add(channel);
    }
    return request(missing);
  }

  /** Returns one request for all unanswered ones, to be sent again, or null. */
  function resumeAgain(): Resume | null {
    return request(asked);
  }

  function request(channels: ReadonlySet<string>): Resume | null {
    const known = [...positions].filter(([channel]) => channels.has(channel)).sort();
    missing.clear();
    if (known.length === 0) return null;
    for (const [channel] of known) {
      asked.add(channel);
      dropped.delete(channel);
    }
    return { type: 'resume', positions: Object.fromEntries(known) };
  }

  return {
    positions,
    isCatchingUp: () => asked.size > 0,
    ...{ restore, begin, connect, meet, recover, receive, leave, resume, resumeAgain },
  };
}
