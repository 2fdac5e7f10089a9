/** Durations and timeouts. */

import { NetworkError } from './errors.js';

/**
 * Returns a function that returns the milliseconds since now, never fewer than have passed.
 *
 * The wall clock may be set back, and the monotonic clock may stand still while a phone sleeps.
 */
export function stopwatch(): () => number {
  const wall = Date.now();
  const steady = performance.now();
  return () => Math.max(Date.now() - wall, performance.now() - steady);
}

/** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted before. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(reasonOf(signal));
      else resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
  });
}

/**
 * Settles as `work` does; rejects with NetworkError after `ms` milliseconds, and with the reason of
 * `outer` when that is aborted. In each of these cases the signal of `work` is aborted.
 */
export async function within<T>(
  ms: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  const inner = new AbortController();
  const abort = (): void => {
    inner.abort(outer?.reason);
  };
  outer?.addEventListener('abort', abort);
  if (outer?.aborted) abort();
  const late = sleep(ms, inner.signal).then(() => {
    throw new NetworkError(`No answer within ${Math.round(ms)} ms.`);
  });
  try {
    // In an async function, because `work` may throw instead of rejecting.
    return await Promise.race([late, (async () => work(inner.signal))()]);
  } finally {
    outer?.removeEventListener('abort', abort);
    inner.abort();
  }
}

// React Native's signals have no reason.
function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error
    ? reason
    : Object.assign(new Error('Aborted.', { cause: reason }), { name: 'AbortError' });
}
