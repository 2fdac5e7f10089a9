/** The events of one channel, from pages and from the connection, each once and in order. */

export interface FeedEvent {
  readonly id: string;
  readonly event: string;
  readonly channel: string;
  readonly seq: number;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The maximum number of events, so that a page that stays open for a day does not grow. */
const MAX_EVENTS = 2000;

/** Merges two lists of events, the newest first. */
export function merged(events: readonly FeedEvent[], others: readonly FeedEvent[]): FeedEvent[] {
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  for (const event of others) bySeq.set(event.seq, event);
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq).slice(0, MAX_EVENTS);
}

/** Returns the position before a page of older events, or null if there are none. */
export function positionBefore(events: readonly FeedEvent[], limit: number): number | null {
  const first = events.at(-1)?.seq ?? 1;
  return first > 1 && events.length < MAX_EVENTS ? Math.max(0, first - 1 - limit) : null;
}

export function eventsPerMinute(times: readonly number[], now: number, minutes: number): number[] {
  const counts = Array.from({ length: minutes }, () => 0);
  for (const time of times) {
    const age = Math.floor((now - time) / 60_000);
    const index = minutes - 1 - age;
    if (index in counts) counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}
