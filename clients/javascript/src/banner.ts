/** The status that a banner shows. */

import type { Client, Status, Unsubscribe } from './types.js';

/** Short interruptions are not shown: most end within a second. */
const QUIET_MS = 2000;

/**
 * Calls `show` with the status that a banner shows, or with `null` for none, until it is unsubscribed.
 *
 * An interruption is shown after `quietMs`, its end immediately. Time in the background does not count.
 * `too_many_connections`, which only the user can end, is shown immediately. The banner is empty for a
 * client that is stopped: then the app shows its login.
 */
export function watchBanner(
  client: Pick<Client, 'status' | 'onStatus'>,
  show: (status: Status | null) => void,
  quietMs: number = QUIET_MS,
): Unsubscribe {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let shown: Status | null = null;

  function put(status: Status | null) {
    if (status === shown) return;
    shown = status;
    show(status);
  }

  function wait() {
    timer ??= setTimeout(() => {
      timer = null;
      put(client.status);
    }, quietMs);
  }

  function stopWaiting() {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  }

  function take(status: Status) {
    if (status.state === 'paused' && status.reason === 'background') {
      stopWaiting();
    } else if (isTrouble(status) && shown === null && !isForTheUser(status)) {
      wait();
    } else {
      stopWaiting();
      put(isTrouble(status) ? status : null);
    }
  }

  take(client.status);
  const unsubscribe = client.onStatus(take);
  return () => {
    unsubscribe();
    stopWaiting();
  };
}

function isTrouble({ state }: Status): boolean {
  return state !== 'online' && state !== 'stopped';
}

function isForTheUser(status: Status): boolean {
  return status.state === 'paused' && status.reason === 'too_many_connections';
}
