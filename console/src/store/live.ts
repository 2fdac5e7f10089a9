/** The connection as signals: where it stands, what arrived, and how long that took. */

import type { Client, EventName, Events, Status } from '@vitrina/client';
import { batch, signal } from '@preact/signals';
import { withDelay } from '../state/numbers';

export type LiveEvent = Events[EventName];

/** Events that arrive before the answer to the request that made them. */
const MAX_ARRIVALS = 1000;
const MAX_TIMES = 20_000;
const AN_HOUR = 3_600_000;

export class Live {
  readonly status = signal<Status>({ state: 'stopped', reason: 'not_started' });
  /** When what is shown was last known to be complete; null while it is. */
  readonly asOf = signal<number | null>(null);
  /** Milliseconds from the request to the arrival of its event here, of decisions of this page. */
  readonly delays = signal<readonly number[]>([]);
  /** When events arrived, in the past hour. */
  readonly times = signal<readonly number[]>([]);
  readonly #arrivals = new Map<string, number>();
  readonly #waiting = new Map<string, number>();

  constructor(readonly client: Client) {
    this.status.value = client.status;
    client.onStatus((status) => this.#follow(status));
    client.on('*', (event) => this.#note(event));
  }

  on(listener: (event: LiveEvent) => void): () => void {
    return this.client.on('*', (event) => batch(() => listener(event)));
  }

  /** Measures how long events of a request took that was sent at `startedAt` of `performance.now()`. */
  measure(ids: readonly string[], startedAt: number): void {
    for (const id of ids) {
      const arrivedAt = this.#arrivals.get(id);
      if (arrivedAt === undefined) this.#waiting.set(id, startedAt);
      else this.delays.value = withDelay(this.delays.peek(), arrivedAt - startedAt);
    }
  }

  #follow(status: Status): void {
    const wasOnline = this.status.peek().state === 'online';
    batch(() => {
      this.status.value = status;
      if (status.state === 'online') this.asOf.value = null;
      else if (wasOnline) this.asOf.value = Date.now();
    });
  }

  #note(event: LiveEvent): void {
    const now = performance.now();
    const startedAt = this.#waiting.get(event.id);
    if (startedAt !== undefined) {
      this.#waiting.delete(event.id);
      this.delays.value = withDelay(this.delays.peek(), now - startedAt);
    }
    this.#arrivals.set(event.id, now);
    const [first] = this.#arrivals.keys();
    if (this.#arrivals.size > MAX_ARRIVALS && first) this.#arrivals.delete(first);
    const since = Date.now() - AN_HOUR;
    const kept = this.times.peek().filter((time) => time > since);
    this.times.value = [...kept, Date.now()].slice(-MAX_TIMES);
  }
}
