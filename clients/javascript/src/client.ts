/** The client of an app: its listeners around the machine. */

import type { ClientType, EventName, Events } from './events.js';
import type { Published } from './frames.js';
import { createHttp } from './http.js';
import { createListeners, type Listeners } from './listeners.js';
import { createMachine, type Machine } from './machine.js';
import { origin } from './origin.js';
import { createSteps } from './steps.js';
import type {
  Client,
  ClientOptions,
  Http,
  Position,
  Room,
  Status,
  Times,
  Unsubscribe,
} from './types.js';

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
  readonly http: Http;
  private readonly machine: Machine;
  private readonly steps = createSteps((error) => {
    this.fail(error);
  });
  private readonly events = new Map<string, Listeners<Published>>();
  private readonly statuses = this.listeners<Status>();
  private readonly refetches = this.listeners<string>();
  private readonly errors = createListeners<Error>(() => undefined);

  constructor(options: ClientOptions<As>) {
    const host = origin(options.url);
    const times = { ...TIMES, ...options.times };
    check(options, times);
    this.machine = createMachine(options, host, times, this.steps, {
      event: (event) => {
        this.events.get(event.event)?.tell(event);
        this.events.get('*')?.tell(event);
      },
      refetch: this.refetches.tell,
      status: this.statuses.tell,
      fail: (error) => {
        this.fail(error);
      },
    });
    const { as, tokens, platform } = options;
    const { position } = this.machine;
    this.http = createHttp({ origin: host, as, tokens, fetch: platform.fetch, position });
  }

  get status(): Status {
    return this.machine.status();
  }

  on<Name extends EventName>(name: Name, listener: (event: Events[Name]) => unknown): Unsubscribe;
  on(name: '*', listener: (event: Published) => unknown): Unsubscribe;
  on(name: string, listener: (event: never) => unknown): Unsubscribe {
    const listeners = this.events.get(name) ?? this.listeners<Published>();
    this.events.set(name, listeners);
    return listeners.add(listener as (event: Published) => unknown);
  }

  onStatus(listener: (status: Status) => unknown): Unsubscribe {
    return this.statuses.add(listener);
  }

  onRefetch(listener: (channel: string) => unknown): Unsubscribe {
    return this.refetches.add(listener);
  }

  onError(listener: (error: Error) => unknown): Unsubscribe {
    return this.errors.add(listener);
  }

  room(name: string): Room {
    const { join, leave } = this.machine;
    return { name, join: () => join(name), leave: () => leave(name) };
  }

  position(channel: string): Position | null {
    return this.machine.position(channel);
  }

  start(): void {
    this.machine.start();
  }

  stop(): Promise<void> {
    return this.machine.stop();
  }

  logout(): Promise<void> {
    return this.machine.logout();
  }

  private listeners<Value>(): Listeners<Value> {
    return createListeners<Value>((error) => {
      this.fail(error);
    });
  }

  /** Tells the app of an error after this step; the console, if nobody listens. */
  private fail(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const { step, tell } = this.steps;
    step(() => {
      tell(() => {
        if (this.errors.tell(error) === 0) console.warn('vitrina:', error);
      });
    });
  }
}

/** Says at once, in a sentence, what would fail for ever. */
function check({ as, tokens, platform }: ClientOptions, times: Times): void {
  expect(/^(user|shop|admin)$/.test(as), "`as` has to be 'user', 'shop' or 'admin'.");
  expect(isCallable(tokens, 'get'), '`tokens` has to have a function `get`, as a `Session` has.');
  const isPlatform = isCallable(platform, 'openSocket') && isCallable(platform, 'fetch');
  expect(
    isPlatform,
    '`platform` has to have `openSocket` and `fetch`: browser(), reactNative() or node() of this package make one.',
  );
  const isStore = ['getItem', 'setItem', 'removeItem'].every((name) =>
    isCallable(platform.store, name),
  );
  expect(
    !platform.store || isStore,
    '`platform.store` has to have getItem, setItem and removeItem.',
  );
  for (const [name, ms] of Object.entries(times) as [keyof Times, unknown][]) {
    expect(
      typeof ms === 'number' && ms >= 0 && name in TIMES,
      `\`times.${name}\` has to be a number of milliseconds that the client knows.`,
    );
  }
}

function isCallable(owner: unknown, name: string): boolean {
  return typeof (owner as Record<string, unknown> | undefined | null)?.[name] === 'function';
}

function expect(isSo: boolean, sentence: string): void {
  if (!isSo) throw new Error(sentence);
}
