/** The client: one connection, kept for as long as the app wants it. */

import type { EventName, Events } from './events.js';
import { createHttp } from './http.js';
import { origin } from './origin.js';
import type { Client, ClientOptions, Http, Position, Room, Status, Unsubscribe } from './types.js';

/** See `Client` for its members. Throws an `Error` with a sentence if an option is wrong. */
export class VitrinaClient implements Client {
  readonly http: Http;
  readonly status: Status = { state: 'stopped', reason: 'not_started' };

  constructor(options: ClientOptions) {
    this.http = createHttp({
      origin: origin(options.url),
      as: options.as,
      tokens: options.tokens,
      fetch: options.platform.fetch,
      position: (channel) => this.position(channel),
    });
  }

  on<Name extends EventName>(name: Name, listener: (event: Events[Name]) => void): Unsubscribe;
  on(name: '*', listener: (event: Events[EventName]) => void): Unsubscribe;
  on(_name: string, _listener: (event: never) => void): Unsubscribe {
    throw new Error('Not built yet.');
  }

  onStatus(_listener: (status: Status) => void): Unsubscribe {
    throw new Error('Not built yet.');
  }

  onRefetch(_listener: (channel: string) => void): Unsubscribe {
    throw new Error('Not built yet.');
  }

  onError(_listener: (error: Error) => void): Unsubscribe {
    throw new Error('Not built yet.');
  }

  room(_name: string): Room {
    throw new Error('Not built yet.');
  }

  position(_channel: string): Position | null {
    return null;
  }

  start(): void {
    throw new Error('Not built yet.');
  }

  stop(): Promise<void> {
    throw new Error('Not built yet.');
  }

  logout(): Promise<void> {
    throw new Error('Not built yet.');
  }
}
