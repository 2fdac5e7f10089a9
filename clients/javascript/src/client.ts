/** The client of an app: its listeners around the machine. */

import type { ClientType, EventName, Events } from './events.js';
import type { Published } from './frames.js';
import { createListeners, type Listeners } from './listeners.js';
import { createMachine, type Machine } from './machine.js';
import { origin } from './origin.js';
import { createSteps } from './steps.js';
import type { Client, ClientOptions, Position, Room, Status, Times, Unsubscribe } from './types.js';

const TIMES: Times = {
  firstRetryMs: 1000,
  maxRetryMs: 30_000,
  stableMs: 10_000,
  tokenTimeoutMs: 15_000,
  handshakeTimeoutMs: 15_000,
  greetingTimeoutMs: 30_000,
  answerTimeoutMs: 35_000, // the server gives up after 29 s
  pongTimeoutMs: 10_000,
  storeTimeoutMs: 5000,
  saveDelayMs: 500,
  renewAheadMs: 120_000,
  backgroundGraceMs: 20_000,
};

/** See `Client` for its members. Throws an `Error` with a sentence if an option is wrong. */
export class VitrinaClient<As extends ClientType = ClientType> implements Client {
  readonly #machine: Machine;
  readonly #steps = createSteps((error) => {
    this.#fail(error);
  });
  readonly #events = new Map<string, Listeners<Published>>();
  readonly #statuses = this.#listeners<Status>();
  readonly #refetches = this.#listeners<string>();
  readonly #errors = createListeners<Error>(() => undefined);

  constructor(readonly options: ClientOptions<As>) {
    const host = origin(options.url);
    const times = { ...TIMES, ...options.times };
    check(options, times);
    this.#machine = createMachine(options, host, times, this.#steps, {
      event: (event) => {
        this.#events.get(event.event)?.notify(event);
        this.#events.get('*')?.notify(event);
      },
      refetch: this.#refetches.notify,
      status: this.#statuses.notify,
      fail: (error) => {
        this.#fail(error);
      },
    });
  }

  get status(): Status {
    return this.#machine.status();
  }

  on<Name extends EventName>(name: Name, listener: (event: Events[Name]) => unknown): Unsubscribe;
  on(name: '*', listener: (event: Published) => unknown): Unsubscribe;
  on(name: string, listener: (event: never) => unknown): Unsubscribe {
    const listeners = this.#events.get(name) ?? this.#listeners<Published>();
    this.#events.set(name, listeners);
    return listeners.add(listener as (event: Published) => unknown);
  }

  onStatus(listener: (status: Status) => unknown): Unsubscribe {
    return this.#statuses.add(listener);
  }

  onRefetch(listener: (channel: string) => unknown): Unsubscribe {
    return this.#refetches.add(listener);
  }

  onError(listener: (error: Error) => unknown): Unsubscribe {
    return this.#errors.add(listener);
  }

  room(name: string): Room {
    const { join, leave } = this.#machine;
    return { name, join: () => join(name), leave: () => leave(name) };
  }

  position(channel: string): Position | null {
    return this.#machine.position(channel);
  }

  start(): void {
    this.#machine.start();
  }

  stop(): Promise<void> {
    return this.#machine.stop();
  }

  logout(): Promise<void> {
    return this.#machine.logout();
  }

  #listeners<Value>(): Listeners<Value> {
    return createListeners<Value>((error) => {
      this.#fail(error);
    });
  }

  /** Reports an error to the app after this step; to the console if there is no listener. */
  #fail(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const { step, notify } = this.#steps;
    step(() => {
      notify(() => {
        if (this.#errors.notify(error) === 0) console.warn('vitrina:', error);
      });
    });
  }
}

/** Throws an `Error` with a sentence for options that could never work. */
function check({ as, tokens, platform }: ClientOptions, times: Times): void {
  expect(/^(user|shop|admin)$/.test(as), 'as', "be 'user', 'shop' or 'admin'");
  expectFunctions(tokens, 'tokens', 'get', ', as a Session has');
  const made = ': browser(), reactNative() and node() make one';
  expectFunctions(platform, 'platform', 'openSocket fetch', made);
  if (platform.store)
    expectFunctions(platform.store, 'platform.store', 'getItem setItem removeItem');
  for (const [name, ms] of Object.entries(times)) {
    const isTime = typeof ms === 'number' && ms >= 0 && name in TIMES;
    expect(isTime, `times.${name}`, 'be a number of milliseconds that the client knows');
  }
}

function expectFunctions(owner: unknown, name: string, functions: string, more = ''): void {
  const found = (owner ?? {}) as Record<string, unknown>;
  const isComplete = functions.split(' ').every((each) => typeof found[each] === 'function');
  expect(isComplete, name, `have ${functions.replaceAll(' ', ', ')}${more}`);
}

function expect(isSo: boolean, name: string, what: string): void {
  if (!isSo) throw new Error(`\`${name}\` has to ${what}.`);
}
