/** The platform for browsers. */

import { createSharedStore } from './shared-store.js';
import { TabSocket } from './tabs.js';
import type { Hints, Platform, Socket, Store, Unsubscribe } from './types.js';

export interface BrowserOptions {
  /**
   * One socket for all tabs of an account, which saves connections and is the default. It needs Web
   * Locks, and a token that names its account; otherwise each tab has its own socket.
   */
  isShared?: boolean;
  /** True keeps a hidden tab connected, for a page that shows notifications. */
  staysHidden?: boolean;
}

/**
 * The platform for browsers. The token is sent as a subprotocol, so no URL contains it; positions are
 * in `localStorage`.
 *
 *     const client = new VitrinaClient({ url, as: 'user', tokens: session, platform: browser() });
 */
export function browser({ isShared = true, staysHidden = false }: BrowserOptions = {}): Platform {
  const sockets = new Set<Socket>();

  function openSocket(address: string, token: string): Socket {
    const account = isShared && 'locks' in navigator ? accountOf(token) : null;
    const open = () => new WebSocket(address, ['bearer', token]);
    const socket = account
      ? new TabSocket(`vitrina:${address.replace(/\?.*/, '')}:${account}`, open)
      : open();
    for (const each of sockets) if (each.readyState === WebSocket.CLOSED) sockets.delete(each);
    sockets.add(socket);
    return socket;
  }

  function watch(hints: Hints): Unsubscribe {
    const watching = new AbortController();
    const { signal } = watching;
    const showOrHide = () => {
      if (document.visibilityState === 'visible') hints.foreground();
      else if (!staysHidden) hints.background();
    };
    document.addEventListener('visibilitychange', showOrHide, { signal });
    window.addEventListener(
      'online',
      () => {
        hints.online();
      },
      { signal },
    );
    window.addEventListener(
      'offline',
      () => {
        hints.offline();
      },
      { signal },
    );
    // Browsers do not keep a page with a socket or a lock for the button "back".
    window.addEventListener(
      'pagehide',
      () => {
        hints.background();
        for (const socket of sockets) socket.close();
      },
      { signal },
    );
    window.addEventListener(
      'pageshow',
      ({ persisted }) => {
        if (persisted) hints.foreground();
      },
      { signal },
    );
    if (document.visibilityState === 'hidden') showOrHide();
    if (!navigator.onLine) hints.offline();
    return () => {
      watching.abort();
    };
  }

  const store = localStore();
  return {
    openSocket,
    fetch: (...request) => fetch(...request),
    ...(store && { store }),
    watch,
  };
}

/** `localStorage`, or nothing if the user forbids storage. */
function localStore(): Store | null {
  try {
    return createSharedStore(window.localStorage);
  } catch {
    return null;
  }
}

/** The account of a token, unverified, or `null` if it cannot be read: its tabs share a socket. */
function accountOf(token: string): string | null {
  try {
    const text = token.split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/') ?? '';
    const claims = JSON.parse(atob(text)) as { sub?: unknown } | null;
    return typeof claims?.sub === 'string' ? claims.sub : null;
  } catch {
    return null;
  }
}
