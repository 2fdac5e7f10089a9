/** The events of a channel, from the past day and live. */

import type { Http } from '@vitrina/client';
import { computed, signal } from '@preact/signals';
import { merged, positionBefore, type FeedEvent } from '../state/feed';
import type { Live } from './live';

const PAGE = 100;

export class Feed {
  readonly events = signal<readonly FeedEvent[]>([]);
  readonly failure = signal<unknown>(null);
  readonly isLoading = signal(false);
  readonly #epoch = signal<string | null>(null);
  readonly #isAtStart = signal(false);
  readonly hasOlder = computed(
    () => !this.#isAtStart.value && positionBefore(this.events.value, PAGE) !== null,
  );
  readonly #stop: (() => void)[];

  constructor(
    readonly http: Http,
    live: Live,
    readonly channel: string,
  ) {
    this.#stop = [
      live.on((event) => {
        if (event.channel === channel) this.#add([event]);
      }),
      live.client.onRefetch((each) => {
        if (each === channel) void this.load();
      }),
      live.onceOnline(() => void this.load()),
    ];
  }

  stop(): void {
    for (const stop of this.#stop) stop();
  }

  /** Reads the latest events. */
  async load(): Promise<void> {
    await this.#read({});
  }

  /** Reads events before those that are shown, as far as they have not expired. */
  async older(): Promise<void> {
    if (this.isLoading.peek()) return;
    const before = positionBefore(this.events.peek(), PAGE);
    const epoch = this.#epoch.peek();
    if (before !== null && epoch !== null) await this.#read({ since: `${epoch}:${before}` });
  }

  async #read(query: { since?: string }): Promise<void> {
    this.isLoading.value = true;
    try {
      const { channel } = this;
      const { data } = await this.http.get('/api/v1/events', {
        query: { channel, limit: PAGE, ...query },
      });
      if (data.position.epoch !== this.#epoch.peek()) this.events.value = [];
      this.#epoch.value = data.position.epoch;
      this.#isAtStart.value = data.events.length < PAGE || !data.recovered;
      this.#add(data.events);
      this.failure.value = null;
    } catch (error) {
      this.failure.value = error;
    } finally {
      this.isLoading.value = false;
    }
  }

  #add(events: readonly FeedEvent[]): void {
    this.events.value = merged(this.events.peek(), events);
  }
}
