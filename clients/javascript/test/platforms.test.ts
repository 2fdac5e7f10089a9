/** How each platform sends a token, and which changes of a device it reports. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import WebSocketOfWs from 'ws';

import { browser } from '../src/browser.js';
import { node } from '../src/node.js';
import { reactNative, secrets } from '../src/react-native.js';
import { FakeServer, settled } from '../src/testing.js';
import type { Hints, Platform } from '../src/types.js';

function watched(platform: Platform) {
  const received: string[] = [];
  const hint = (name: keyof Hints) => () => void received.push(name);
  const unsubscribe = platform.watch?.({
    foreground: hint('foreground'),
    background: hint('background'),
    online: hint('online'),
    offline: hint('offline'),
  });
  return { received, unsubscribe: () => unsubscribe?.() };
}

async function tokenOf(server: FakeServer): Promise<string> {
  const options = { fresh: false, signal: new AbortController().signal };
  return (await server.tokens('user').get(options)) ?? '';
}

const ADDRESS = 'https://vitrina.test/ws/user?batch=1';

describe('node', () => {
  it('throws a sentence if this Node has no WebSocket', () => {
    vi.stubGlobal('WebSocket', undefined);
    expect(() => node()).toThrow('install the package ws');
    expect(() => node({ WebSocket: WebSocketOfWs })).not.toThrow();
  });

  it('puts the token into a header', async () => {
    const server = new FakeServer();
    const token = await tokenOf(server);
    node({ WebSocket: server.WebSocket }).openSocket(ADDRESS, token);
    await settled();
    expect(server.connections[0]).toMatchObject({ token, address: new URL(ADDRESS), isOpen: true });
  });
});

describe('reactNative', () => {
  const device = (currentState: string | null = 'active') => {
    const listeners = {
      app: new Set<(state: string) => void>(),
      network: new Set<(of: object) => void>(),
    };
    return {
      AppState: {
        currentState,
        addEventListener: (_: 'change', listener: (state: string) => void) => {
          listeners.app.add(listener);
          return { remove: () => void listeners.app.delete(listener) };
        },
      },
      NetInfo: {
        addEventListener: (listener: (of: never) => void) => {
          listeners.network.add(listener as (of: object) => void);
          return () => void listeners.network.delete(listener as (of: object) => void);
        },
      },
      app: (state: string) => {
        for (const listener of listeners.app) listener(state);
      },
      network: (type: string, isConnected: boolean | null) => {
        for (const listener of listeners.network) listener({ type, isConnected });
      },
      listeners,
    };
  };

  it('reports the background and the foreground, but no states in between', () => {
    const phone = device();
    const { received } = watched(reactNative(phone));
    for (const state of ['inactive', 'background', 'inactive', 'active']) phone.app(state);
    expect(received).toEqual(['foreground', 'background', 'foreground']);
  });

  it('reports an app that was started in the background', () => {
    expect(watched(reactNative(device('background'))).received).toEqual(['background']);
    expect(watched(reactNative(device(null))).received).toEqual([]);
  });

  it('reports changes of the network, but not the first state', () => {
    const phone = device(null);
    const { received } = watched(reactNative(phone));
    phone.network('wifi', true);
    phone.network('wifi', true);
    phone.network('none', false);
    phone.network('cellular', null);
    phone.network('cellular', true);
    phone.network('wifi', true);
    expect(received).toEqual(['offline', 'online', 'online']);
  });

  it('listens to nothing after it was unsubscribed', () => {
    const phone = device();
    watched(reactNative(phone)).unsubscribe();
    expect([phone.listeners.app.size, phone.listeners.network.size]).toEqual([0, 0]);
  });

  it('puts the token into a header, and never calls ping', async () => {
    const server = new FakeServer();
    const token = await tokenOf(server);
    vi.stubGlobal('WebSocket', server.WebSocket);
    const platform = reactNative(device());
    platform.openSocket(ADDRESS, token);
    await settled();
    expect(server.connections[0]).toMatchObject({ token, isOpen: true });
    expect([platform.keepsAlive, platform.store]).toEqual([false, undefined]);
  });

  it("offers Expo's store under the names that a session uses", async () => {
    const kept = new Map<string, string>();
    const store = secrets({
      getItemAsync: (key) => Promise.resolve(kept.get(key) ?? null),
      setItemAsync: (key, value) => Promise.resolve(void kept.set(key, value)),
      deleteItemAsync: (key) => Promise.resolve(void kept.delete(key)),
    });
    await store.setItem('vitrina.session', 'secret');
    expect(await store.getItem('vitrina.session')).toBe('secret');
    await store.removeItem('vitrina.session');
    expect(await store.getItem('vitrina.session')).toBeNull();
  });
});

describe('browser', () => {
  class Page extends EventTarget {
    visibilityState = 'visible';
  }

  function page({ onLine = true, hasStorage = true } = {}) {
    const document = new Page();
    const window = new EventTarget();
    Object.defineProperty(window, 'localStorage', {
      get() {
        if (hasStorage) return new Map();
        throw new Error('The user forbids it.');
      },
    });
    vi.stubGlobal('document', document);
    vi.stubGlobal('window', window);
    vi.stubGlobal('navigator', { onLine });
    return {
      window,
      show: (visibilityState: string) => {
        document.visibilityState = visibilityState;
        document.dispatchEvent(new Event('visibilitychange'));
      },
      turn: (persisted: boolean) =>
        window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted })),
    };
  }

  it('reports that a page is hidden or shown, and changes of the network', () => {
    const { window, show } = page();
    const { received, unsubscribe } = watched(browser());
    show('hidden');
    show('visible');
    window.dispatchEvent(new Event('offline'));
    window.dispatchEvent(new Event('online'));
    unsubscribe();
    show('hidden');
    expect(received).toEqual(['background', 'foreground', 'offline', 'online']);
  });

  it('keeps a hidden page connected with staysHidden', () => {
    const { show } = page({ onLine: false });
    const { received } = watched(browser({ staysHidden: true }));
    show('hidden');
    expect(received).toEqual(['offline']);
  });

  it('closes its socket when the page is left, and reports its return', async () => {
    const server = new FakeServer();
    const { window, turn } = page();
    vi.stubGlobal('WebSocket', server.WebSocket);
    const platform = browser();
    const { received } = watched(platform);
    platform.openSocket(ADDRESS, await tokenOf(server));
    await settled();
    expect(server.connections).toHaveLength(1);
    window.dispatchEvent(new Event('pagehide'));
    expect(server.connections).toEqual([]);
    turn(false);
    turn(true);
    expect(received).toEqual(['background', 'foreground']);
  });

  it('puts the token into a subprotocol, and into no address', async () => {
    const server = new FakeServer();
    page();
    const opened = vi.fn(server.WebSocket);
    vi.stubGlobal('WebSocket', Object.assign(opened, { CLOSED: 3 }));
    browser().openSocket(ADDRESS, 'a token');
    expect(opened).toHaveBeenCalledWith(ADDRESS, ['bearer', 'a token']);
    await settled();
  });

  it('stores nothing if the user forbids it', () => {
    page({ hasStorage: false });
    expect(browser().store).toBeUndefined();
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});
