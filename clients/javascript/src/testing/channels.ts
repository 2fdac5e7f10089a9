/** Events published to channels, numbered like on the server. */

import type { EventName, Events, Position } from '../types.js';

export type Published = Events[EventName];

interface Channel {
  epoch: string;
  seq: number;
  events: Published[];
}

/** The channels of each event that is published without `to`. */
const CHANNELS: Record<EventName, (data: Record<string, unknown>) => string[]> = {
  'product.approved': () => ['user', 'shop', 'admin'],
  'product.rejected': ({ shop_id }) => [`shop:${String(shop_id)}`, 'admin'],
  'product.submitted': () => ['admin'],
  'product.withdrawn': () => ['user', 'shop', 'admin'],
  'settings.updated': () => ['user', 'shop', 'admin'],
  'announcement.published': ({ to }) => [String(to)],
};

export class Channels {
  readonly #channels = new Map<string, Channel>();
  #ids = 0;
  #epochs = 0;

  position(name: string): Position {
    const { epoch, seq } = this.#of(name);
    return { epoch, seq };
  }

  /** Numbers an event in each of its channels; returns one copy for each. */
  publish(name: EventName, data: object, to?: readonly string[]): Published[] {
    this.#ids += 1;
    const id = `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
    const timestamp = new Date().toISOString();
    const channels = to ?? CHANNELS[name]({ ...data });
    return channels.map((each) => {
      const channel = this.#of(each);
      channel.seq += 1;
      const event = {
        event: name,
        timestamp,
        data,
        id,
        channel: each,
        seq: channel.seq,
      } as Published;
      channel.events.push(event);
      return event;
    });
  }

  /** Expires all present events, as after 24 hours. */
  expire(name: string): void {
    this.#of(name).events = [];
  }

  /** Starts a new epoch: the channel's numbers begin with 1 again. */
  renumber(name: string): void {
    this.#channels.delete(name);
  }

  /** The events after a position, or `null` if some have expired, or there are more than `limit`. */
  after(name: string, since: Position, limit: number): Published[] | null {
    const { epoch, seq, events } = this.#of(name);
    const missed = events.filter((event) => event.seq > since.seq);
    const isWhole = since.epoch === epoch && since.seq + missed.length === seq;
    return isWhole && missed.length <= limit ? missed : null;
  }

  latest(name: string, limit: number): Published[] {
    return this.#of(name).events.slice(-limit);
  }

  #of(name: string): Channel {
    const found = this.#channels.get(name) ?? { epoch: this.#epoch(), seq: 0, events: [] };
    this.#channels.set(name, found);
    return found;
  }

  #epoch(): string {
    this.#epochs += 1;
    return this.#epochs.toString(16).padStart(8, '0');
  }
}
