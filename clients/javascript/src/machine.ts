/** The states of a client, and the transitions between them. */

import { VitrinaError } from './errors.js';
import { read, type Frame, type Published } from './frames.js';
import type { components } from './events.js';
import { createLine, type Line } from './line.js';
import { createPositions } from './positions.js';
import { createRenewal } from './renewal.js';
import { createRooms } from './rooms.js';
import type { Steps } from './steps.js';
import { within } from './time.js';
import { createPauses, createTimers } from './timers.js';
import type {
  ClientOptions,
  Hints,
  OfflineReason,
  PauseReason,
  Socket,
  Status,
  StopReason,
  Times,
  Unsubscribe,
} from './types.js';

/** A hint ends a pause, but not before this time: an unstable network gives many hints. */
const MIN_PAUSE_MS = 1000;
/** After `too_many_requests` the server refuses handshakes for a minute. */
const PENALTY_MS = 60_000;
const MAX_WAIT_SECONDS = 300;
const DEFAULT_SILENCE_SECONDS = 240;

/** Failures whose cause is the missing network, if the device has none. */
const SILENT: readonly OfflineReason[] = ['unreachable', 'token_unavailable', 'timeout', 'lost'];

type Refusal = components['schemas']['Refusal'];

/** The callbacks of the app, which are called after the machine has finished its step. */
export interface App {
  readonly event: (event: Published) => void;
  readonly refetch: (channel: string) => void;
  readonly status: (status: Status) => void;
  readonly fail: (error: unknown) => void;
}

export type Machine = ReturnType<typeof createMachine>;

/** The functions of a machine may be called at any time, also from callbacks. `origin` is `https://HOST`. */
export function createMachine(
  { as, platform, tokens, storageKey = `vitrina:positions:${as}` }: ClientOptions,
  origin: string,
  times: Times,
  { step, notify }: Steps,
  app: App,
) {
  const { fail } = app;
  const address = `${origin.replace('http', 'ws')}/ws/${as}?batch=1`;

  let status: Status = { state: 'stopped', reason: 'not_started' };
  let reportedStatus: Status = status;
  /** Counts connections: answers to requests of an earlier connection are ignored. */
  let generation = 0;
  let line: Line | null = null;
  let token = '';
  let abort: AbortController | null = null;
  let isGreeted = false;
  let silenceMs = 0;
  /** The last token was refused, or has ended. */
  let isStale = false;
  let isOnline = true;
  let isAway = false;
  /** A hint came before the pause had lasted `MIN_PAUSE_MS`. */
  let isHurried = false;
  let unwatch: Unsubscribe | null = null;

  /** Timers of a connection, or of the pause after it; the next connection clears them. */
  const timers = createTimers(step);
  const lasting = createTimers(step);
  const pauses = createPauses(times);
  const rooms = createRooms();
  const renewal = createRenewal({ times, timers, request: requestToken, send, fail });

  const positions = createPositions({
    ...{ store: platform.store, key: storageKey, times, timers: lasting, notify, app },
    isStopped: () => status.state === 'stopped',
  });
  const { inbox, rewind, save, saveSoon } = positions;

  // --- `become` alone changes the state, and `drop` alone ends a connection ---

  function become(next: Status): void {
    if (JSON.stringify(next) === JSON.stringify(status)) return;
    status = next;
    notify(() => {
      if (status === reportedStatus) return; // the app already knows the latest status
      reportedStatus = status;
      app.status(status);
    });
  }

  function drop(): void {
    generation += 1;
    const [ended, request] = [line, abort];
    line = abort = null;
    isGreeted = isHurried = false;
    timers.clear();
    rooms.reset();
    ended?.close();
    request?.abort();
    notify(() => void save()); // the app may be killed from here on
  }

  /** Attempts never end: a tunnel, a lift or a deployment may last for any time. */
  function lose(reason: OfflineReason, pauseMs = pauses.next(), minMs = MIN_PAUSE_MS): void {
    drop();
    const isExplained = !isOnline && SILENT.includes(reason);
    become({ state: 'offline', reason: isExplained ? 'no_network' : reason, retryInMs: pauseMs });
    timers.after('retry', pauseMs, connect);
    timers.after('young', minMs, () => {
      if (isHurried) connect();
    });
  }

  function pause(reason: PauseReason): void {
    drop();
    become({ state: 'paused', reason });
  }

  function halt(reason: StopReason): void {
    drop();
    lasting.clear();
    attempt(unwatch);
    unwatch = null;
    become({ state: 'stopped', reason });
  }

  /** Makes an input of `act`, which is not called if the connection has ended by then. */
  function ours<Value>(act: (value: Value) => void): (value: Value) => void {
    const mine = generation;
    return (value) => {
      step(() => {
        if (mine === generation) act(value);
      });
    };
  }

  // --- Calls of the app, and hints of its device ---

  function start(): void {
    if (status.state === 'stopped') {
      isOnline = true;
      isAway = false;
      pauses.reset();
      connect();
      attempt(() => {
        unwatch = platform.watch?.(hints) ?? null;
      });
    } else if (status.state === 'paused' || status.state === 'offline') {
      hurry();
      if (isAway) leaveLater();
    }
  }

  function attempt(act: (() => void) | null): void {
    try {
      act?.();
    } catch (error) {
      fail(error);
    }
  }

  /** Ends a pause, but no work that is under way. */
  function hurry(): void {
    if (status.state === 'paused') connect();
    else if (status.state !== 'offline') probe();
    else if (timers.has('young')) isHurried = true;
    else connect();
  }

  async function stop(): Promise<void> {
    if (status.state !== 'stopped') halt('asked');
    rewind();
    await save();
  }

  async function logout(): Promise<void> {
    halt('logged_out');
    const forgetting = positions.forget();
    rooms.clear(new VitrinaError('logged_out', 'The user has logged out.'));
    const ending = within(times.tokenTimeoutMs, undefined, () => tokens.logout?.()).catch(fail);
    await Promise.all([ending, forgetting]);
  }

  const hints: Hints = {
    foreground: hint(() => {
      isAway = false;
      lasting.cancel('background');
      hurry();
    }),
    background: hint(() => {
      isAway = true;
      void save();
      leaveLater();
    }),
    online: hint(() => {
      isOnline = true;
      if (status.state !== 'paused') hurry();
    }),
    offline: hint(() => {
      isOnline = false;
      if (status.state === 'offline') become({ ...status, reason: 'no_network' });
      probe();
    }),
  };

  function hint(act: () => void): () => void {
    return () => {
      step(() => {
        if (status.state !== 'stopped') act();
      });
    };
  }

  /** A short visit to another app keeps the socket. */
  function leaveLater(): void {
    if (lasting.has('background')) return;
    lasting.after('background', times.backgroundGraceMs, () => {
      if (status.state !== 'paused') pause('background');
    });
  }

  function join(name: string): Promise<void> {
    const joined = rooms.join(name);
    settleRooms();
    return joined;
  }

  function leave(name: string): Promise<void> {
    const left = rooms.leave(name);
    inbox.leave(`room:${name}`);
    saveSoon();
    settleRooms();
    return left;
  }

  // --- Connecting ---

  function connect(): void {
    drop();
    become({ state: 'connecting' });
    const request = () => {
      requestToken(open, noToken, isStale);
    };
    if (positions.isLoaded()) {
      request();
      return;
    }
    const loaded = ours((restore: () => void) => {
      restore();
      request();
    });
    void positions.load().then(loaded);
  }

  function noToken(error: unknown): void {
    fail(error);
    lose('token_unavailable');
  }

  /** Calls `use` or `failed`, or neither if the connection ends meanwhile. */
  function requestToken(
    use: (token: string) => void,
    failed: (error: unknown) => void,
    fresh = true,
  ): void {
    const { signal } = (abort = new AbortController());
    within(times.tokenTimeoutMs, signal, (ending) => tokens.get({ fresh, signal: ending })).then(
      ours((given: unknown) => {
        if (!given) halt('login_required');
        else if (typeof given === 'string') use(given);
        else
          failed(new VitrinaError('token_invalid', '`tokens.get()` has to give a text or null.'));
      }),
      ours(failed),
    );
  }

  function open(given: string): void {
    let socket: Socket;
    const places = inbox.begin();
    try {
      socket = platform.openSocket(places ? `${address}&positions=${places}` : address, given);
    } catch {
      // The exception may contain the address, and so the token.
      fail(new VitrinaError('socket_failed', 'The platform cannot open a WebSocket.'));
      lose('unreachable');
      return;
    }
    token = given;
    timers.after('answer', times.handshakeTimeoutMs, timeOut);
    let isOpen = false;
    line = createLine(socket, {
      opened: ours<unknown>(() => {
        isOpen = true;
        isStale = false;
        timers.after('answer', times.greetingTimeoutMs, timeOut);
        timers.after('stable', times.stableMs, pauses.reset);
      }),
      arrived: ours(take),
      ended: ours<unknown>(() => {
        // A refusal (401, 403) looks like an unreachable host: the token may be the cause.
        if (!isOpen) isStale = true;
        lose(isOpen ? 'lost' : 'unreachable');
      }),
    });
  }

  function timeOut(): void {
    lose('timeout');
  }

  // --- Frames ---

  function take(data: unknown): void {
    const mine = generation;
    timers.cancel('pong'); // whatever arrives shows that the connection is alive
    for (const frame of read(data, refuseFrame)) {
      react(frame);
      if (mine !== generation) return;
    }
    if (!isGreeted) return;
    keepAlive();
    settleRooms();
    settleGaps();
    saveSoon();
  }

  function refuseFrame(name: string): void {
    fail(new VitrinaError('frame_invalid', `A frame is not as documented: ${name}`));
  }

  function react(frame: Frame): void {
    if ('seq' in frame) {
      const { channel } = frame;
      const isRoom = channel.startsWith('room:');
      if (!isRoom || rooms.isWanted(channel.slice(5))) inbox.receive(frame); // else it was left
      return;
    }
    switch (frame.event) {
      case 'connected':
        positions.begin(frame.data);
        isGreeted = true;
        timers.cancel('answer');
        silenceMs = secondsOr(DEFAULT_SILENCE_SECONDS, frame.data.ping_interval_seconds) * 1000;
        renewal.begin(token, frame.data.expires_at, frame.timestamp);
        break;
      case 'recovered':
        inbox.recover(frame.data.channels);
        break;
      case 'joined':
        if (rooms.isWanted(frame.data.room)) inbox.meet(frame.data.channel, frame.data.position);
        answerRoom(frame.data.room, true);
        break;
      case 'left':
        answerRoom(frame.data.room, false);
        break;
      case 'authenticated':
        renewal.accepted(frame.data.expires_at, frame.timestamp);
        break;
      case 'closing':
        close(frame.data.reason);
        break;
      case 'error':
        refuse(frame.data);
    }
  }

  function close(reason: string): void {
    switch (reason) {
      case 'account_disconnected':
        halt(reason);
        break;
      case 'too_many_connections':
        // Another device of the account has replaced this one; to reconnect would close that device's connection.
        pause(reason);
        break;
      case 'token_expired':
        isStale = true;
        lose(reason);
        break;
      case 'too_many_requests':
        lose(reason, PENALTY_MS * (1 + Math.random() / 4), PENALTY_MS);
        break;
      default:
        lose(reason === 'too_slow' ? reason : 'everyone_disconnected');
    }
  }

  /** Handles an `error` as the answer to the request that is awaited. */
  function refuse({ code, message, retry_after: seconds }: Refusal): void {
    switch (code) {
      case 'recovery_interrupted':
      case 'busy':
      case 'issuer_unreachable':
      case 'too_many_requests': {
        // The server does not say which message was refused: all unanswered requests are sent again.
        const waitSeconds = Math.min(secondsOr(0, seconds), MAX_WAIT_SECONDS);
        sendAgain(waitSeconds * 1000 + Math.random() * times.firstRetryMs);
        return;
      }
      case 'connection_expired':
      case 'identity_mismatch':
        close('token_expired');
        return;
      case 'channel_forbidden': // `connected` will say which channels are ours
        lose('lost');
        return;
    }
    const error = new VitrinaError(code, message);
    fail(error);
    if (code.startsWith('token_')) renewal.later();
    else if (rooms.refuse(error)) timers.cancel('room');
    else if (renewal.isAwaiting()) renewal.later();
  }

  /** Sends unanswered requests again after `waitMs`; those that are answered meanwhile are left out. */
  function sendAgain(waitMs: number): void {
    timers.cancel('recovery');
    timers.cancel('room');
    timers.after('again', waitMs, () => {
      rooms.again();
      settleRooms();
      settleGaps(inbox.resumeAgain());
    });
  }

  /** Requests missing events, and repeats requests that were refused for now. */
  function settleGaps(request = inbox.resume()): void {
    const isCatchingUp = inbox.isCatchingUp();
    if (!isCatchingUp) {
      timers.cancel('recovery');
    } else if (!timers.has('again')) {
      send(request);
      // Also for what the server recovers without a request.
      if (request || !timers.has('recovery'))
        timers.after('recovery', times.answerTimeoutMs, timeOut);
    }
    become({ state: isCatchingUp ? 'catching_up' : 'online' });
  }

  function answerRoom(name: string, isIn: boolean): void {
    rooms.answer(name, isIn);
    if (!rooms.isAwaiting()) timers.cancel('room');
  }

  function settleRooms(): void {
    const request = isGreeted && !timers.has('again') && rooms.next();
    if (!request) return;
    timers.after('room', times.answerTimeoutMs, timeOut);
    send(request);
  }

  // --- Signs of life ---

  /** Sends a ping after `silenceMs` without a frame. Each frame restarts this time, also a `pong`. */
  function keepAlive(): void {
    if (!platform.keepsAlive) timers.after('silence', silenceMs, probe);
  }

  function probe(): void {
    if (!isGreeted || timers.has('pong')) return;
    timers.after('pong', times.pongTimeoutMs, timeOut);
    send({ type: 'ping' });
  }

  function send(message: object | null): void {
    if (message) line?.send(message);
  }

  return {
    status: () => status,
    position: positions.at,
    start: () => {
      step(start);
    },
    stop: () => inStep(stop),
    logout: () => inStep(logout),
    join: (name: string) => inStep(() => join(name)),
    leave: (name: string) => inStep(() => leave(name)),
  };

  function inStep(act: () => Promise<void>): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      step(() => {
        resolve(act());
      });
    });
    ended.catch(() => undefined); // an app may ignore the promise: `onError` reports refusals too
    return ended;
  }
}

function secondsOr(otherwise: number, given: unknown): number {
  return typeof given === 'number' && given > 0 ? given : otherwise;
}
