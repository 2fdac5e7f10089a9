/** Timers by name, and pauses between attempts. */

import type { Times } from './types.js';

/** The longest delay of a timer; a longer one would end immediately. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export type Timers = ReturnType<typeof createTimers>;

/** Timers by name, one for each; `run` gets the functions that are due. */
export function createTimers(run: (act: () => void) => void) {
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  function after(name: string, delayMs: number, act: () => unknown): void {
    cancel(name);
    const timer = setTimeout(
      () => {
        run(() => {
          // A timer that was cancelled while this one waited for its turn is not due any more.
          if (timers.get(name) === timer && timers.delete(name)) act();
        });
      },
      Math.min(delayMs, MAX_TIMEOUT_MS),
    );
    timers.set(name, timer);
  }

  function cancel(name: string): void {
    clearTimeout(timers.get(name));
    timers.delete(name);
  }

  function clear(): void {
    [...timers.keys()].forEach(cancel);
  }

  return { after, cancel, clear, has: (name: string) => timers.has(name) };
}

/** Pauses that grow, each a random part of its limit, so that phones do not reconnect all at once. */
export function createPauses({ firstRetryMs, maxRetryMs }: Times) {
  let attempts = 0;
  return {
    /** Returns the next pause in milliseconds. */
    next: (): number => Math.random() * Math.min(maxRetryMs, firstRetryMs * 2 ** attempts++),
    reset: (): void => {
      attempts = 0;
    },
  };
}
