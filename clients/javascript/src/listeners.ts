/** Listeners of the app, which may throw, reject, and call anything. */

import type { Unsubscribe } from './types.js';

export type Listeners<Value> = ReturnType<typeof createListeners<Value>>;

/** A set of functions; their exceptions and rejections are passed to `fail`. */
export function createListeners<Value>(fail: (error: unknown) => void) {
  const listeners = new Set<{ readonly call: (value: Value) => unknown }>();

  function add(call: (value: Value) => unknown): Unsubscribe {
    const listener = { call };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Calls each function that has not been removed before its turn; returns the number of functions. */
  function notify(value: Value): number {
    const all = [...listeners];
    for (const listener of all) {
      if (!listeners.has(listener)) continue;
      new Promise((called) => {
        called(listener.call(value));
      }).catch(fail);
    }
    return all.length;
  }

  return { add, notify };
}
