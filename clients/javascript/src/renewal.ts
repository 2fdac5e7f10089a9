/** Extends an open connection with newer tokens. */

import type { Timers } from './timers.js';
import { createPauses } from './timers.js';
import type { Times } from './types.js';

interface Needs {
  readonly times: Times;
  readonly timers: Timers;
  /** Calls `use` with a fresh token, or `failed`. */
  readonly request: (use: (token: string) => void, failed: (error: unknown) => void) => void;
  readonly send: (message: { type: 'auth'; token: string }) => void;
  readonly fail: (error: unknown) => void;
}

export function createRenewal({ times, timers, request, send, fail }: Needs) {
  const pauses = createPauses(times);
  let used = ''; // the token of the connection
  let sent = '';
  let endsAt = 0; // by the server's clock, like all times here: a phone's clock may be wrong

  /** Begins with a connection and the token that opened it. */
  function begin(token: string, expiry: string, now: string): void {
    used = token;
    endsAt = 0;
    extend(expiry, now);
  }

  /** The server has accepted the token that was sent. */
  function accepted(expiry: string, now: string): void {
    used = sent || used;
    sent = '';
    timers.cancel('renew');
    extend(expiry, now);
  }

  /** Requests a token before the connection ends. No token moves API Gateway's own end, after two hours. */
  function extend(expiry: string, now: string): void {
    const leftMs = Date.parse(expiry) - Date.parse(now);
    if (!(leftMs > 0 && Date.parse(expiry) > endsAt)) return;
    endsAt = Date.parse(expiry);
    pauses.reset();
    timers.after('renew', Math.max(leftMs - times.renewAheadMs, leftMs / 2), renew);
  }

  function renew(): void {
    request(
      (token) => {
        // The same token again: a newer one is not available yet.
        if (token === used) {
          later();
          return;
        }
        sent = token;
        timers.after('renew', times.answerTimeoutMs, later);
        send({ type: 'auth', token });
      },
      (error) => {
        fail(error);
        later();
      },
    );
  }

  /** Tries again; the server reports when the connection has ended. */
  function later(): void {
    sent = '';
    timers.after('renew', pauses.next(), renew);
  }

  return { begin, accepted, later, isAwaiting: () => sent !== '' };
}
