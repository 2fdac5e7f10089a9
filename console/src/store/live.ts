/** The connection as signals: its status, the events that arrived, and their delays. */

import type { Client, EventName, Events, Status } from '@vitrina/client';
import { batch, computed, effect, signal } from '@preact/signals';
import { codeOf } from '../state/problems';
import { withDelay } from '../state/numbers';

export type LiveEvent = Events[EventName];

/** Events that arrive before the answer to the request that made them. */
const MAX_ARRIVALS = 1000;
const MAX_TIMES = 20_000;
export const AN_HOUR = 3_600_000;

export class Live {
  /** The browser reports a lost network earlier than the client notices the lost connection. */
  readonly status = computed<Status>(() =>
    this.hasNetwork.value || this.#reported.value.state !== 'online'
      ? this.#reported.value
      : { state: 'offline', reason: 'no_network', retryInMs: 0 },
  );
  readonly hasNetwork = signal(true);
  /** The time at which the shown data was last complete; null while it is complete. */
  readonly asOf = signal<number | null>(null);
  /** Milliseconds from a request of this page to the arrival of its event here. */
  readonly delays = signal<readonly number[]>([]);
  /** The arrival times of events in the past hour. */
  readonly times = signal<readonly number[]>([]);
  readonly #reported = signal<Status>({ state: 'stopped', reason: 'not_started' });
  readonly #arrivals = new Map<string, number>();
  readonly #waiting = new Map<string, number>();
  readonly #reloads = new Set<() => void>();
  #wasOnline = false;

  constructor(readonly client: Client) {
    this.#reported.value = client.status;
    client.onStatus((status) => this.#follow(status));
    client.on('*', (event) => this.#note(event));
    // Failures of the network are in the status.
    client.onError((error) => {
      if (codeOf(error) !== 'network') console.error(error);
    });
    let wasOnline = false;
    effect(() => {
      const isOnline = this.status.value.state === 'online';
      if (isOnline) this.asOf.value = null;
      else if (wasOnline) this.asOf.value = Date.now();
      wasOnline = isOnline;
    });
  }

  on(listener: (event: LiveEvent) => void): () => void {
    return this.client.on('*', (event) => batch(() => listener(event)));
  }

  /** Calls back when the connection is first online: lists read before may lack later changes. */
  onceOnline(reload: () => void): () => void {
    if (this.#wasOnline) return () => undefined;
    this.#reloads.add(reload);
    return () => this.#reloads.delete(reload);
  }

  /** Counts events that arrived before this page was opened, the newest first. */
  notePast(times: readonly number[]): void {
    this.times.value = [...times.toReversed(), ...this.times.peek()].slice(-MAX_TIMES);
  }

  /** Measures the delay of a request's events; `startedAt` is by `performance.now()`. */
  measure(ids: readonly string[], startedAt: number): void {
    for (const id of ids) {
      const arrivedAt = this.#arrivals.get(id);
      if (arrivedAt === undefined) this.#waiting.set(id, startedAt);
      else this.delays.value = withDelay(this.delays.peek(), arrivedAt - startedAt);
    }
  }

  #follow(status: Status): void {
    this.#reported.value = status;
    if (status.state !== 'online' || this.#wasOnline) return;
    this.#wasOnline = true;
    for (const reload of this.#reloads) reload();
    this.#reloads.clear();
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
