/** The hooks, without a browser, as React Native renders them. */

/* eslint-disable @typescript-eslint/no-deprecated -- the one renderer that needs no DOM */

import { act, StrictMode, useEffect, type ReactNode } from 'react';
import { create, type ReactTestRenderer } from 'react-test-renderer';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { VitrinaClient } from '../src/index.js';
import {
  useBanner,
  useEvents,
  useRefetch,
  useStatus,
  useVitrina,
  VitrinaProvider,
} from '../src/react.js';
import { FakeServer, settled } from '../src/testing.js';
import type { Events } from '../src/types.js';

const DATA: Events['announcement.published']['data'] = {
  to: 'user',
  title: 'Sale',
  text: 'Now',
  admin_id: 3,
};

let rendered: ReactTestRenderer | null = null;

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
});

afterEach(() => {
  act(() => rendered?.unmount());
  rendered = null;
  vi.useRealTimers();
});

function app(server = new FakeServer()) {
  const platform = server.platform();
  const client = new VitrinaClient({
    url: server.url,
    as: 'user',
    tokens: server.tokens('user'),
    platform,
  });
  return { server, client, platform };
}

async function show(client: VitrinaClient, screen: ReactNode) {
  const tree = (
    <StrictMode>
      <VitrinaProvider client={client}>{screen}</VitrinaProvider>
    </StrictMode>
  );
  await act(async () => {
    if (rendered) rendered.update(tree);
    else rendered = create(tree);
    await settled();
  });
}

function State() {
  return useStatus().state;
}

function Titles({ received }: { received: (title: string) => void }) {
  useEvents('announcement.published', ({ data }) => {
    received(data.title);
  });
  return null;
}

describe('the provider', () => {
  it('opens one socket, also in StrictMode, and closes it when it is unmounted', async () => {
    const { server, client } = app();
    await show(client, <State />);
    expect(rendered?.toJSON()).toBe('online');
    expect([server.handshakes, server.connections.length]).toEqual([1, 1]);
    await act(async () => {
      rendered?.unmount();
      await settled();
    });
    expect(server.connections).toEqual([]);
  });

  it('is required by the hooks, which throw a sentence', () => {
    const missed = vi.spyOn(console, 'error').mockReturnValue();
    expect(() => {
      act(() => {
        rendered = create(<State />);
      });
    }).toThrow('no VitrinaProvider');
    missed.mockRestore();
  });

  it('passes the client to the components below', async () => {
    const { client } = app();
    const received = vi.fn();
    function Screen() {
      const given = useVitrina();
      useEffect(() => {
        received(given);
      }, [given]);
      return null;
    }
    await show(client, <Screen />);
    expect(received).toHaveBeenCalledWith(client);
  });
});

describe('events', () => {
  it('come once to the listener of the latest rendering', async () => {
    const { server, client } = app();
    const [first, second] = [vi.fn(), vi.fn()];
    await show(client, <Titles received={first} />);
    await act(() => server.publish('announcement.published', DATA));
    await show(client, <Titles received={second} />);
    await act(() => server.publish('announcement.published', { ...DATA, title: 'Again' }));
    expect([first.mock.calls, second.mock.calls]).toEqual([[['Sale']], [['Again']]]);
  });

  it('that cannot be recovered are reported by channel', async () => {
    const { server, client, platform } = app();
    const received = vi.fn();
    function Screen() {
      useRefetch(received);
      return null;
    }
    await show(client, <Screen />);
    await act(async () => {
      await server.disconnect();
      await server.publish('announcement.published', DATA);
      server.expireHistory('user');
      platform.hints.online();
      await settled();
    });
    await vi.waitFor(() => {
      expect(received).toHaveBeenCalledWith('user');
    }, 3000);
  });
});

describe('the banner', () => {
  function Banner() {
    return useBanner(2000)?.state ?? 'nothing';
  }

  it('hides a short interruption, and shows a long one until it ends', async () => {
    vi.useFakeTimers();
    const { server, client } = app();
    await show(client, <Banner />);
    expect(rendered?.toJSON()).toBe('nothing');
    server.isReachable = false;
    await act(async () => {
      await server.disconnect();
      await vi.advanceTimersByTimeAsync(1999);
    });
    expect(rendered?.toJSON()).toBe('nothing');
    await act(() => vi.advanceTimersByTimeAsync(1));
    expect(rendered?.toJSON()).toMatch('offline');
    server.isReachable = true;
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(rendered?.toJSON()).toBe('nothing');
  });

  it('shows a pause that only the user can end immediately', async () => {
    const { server, client } = app();
    await show(client, <Banner />);
    await act(() => server.disconnect('too_many_connections'));
    expect(rendered?.toJSON()).toBe('paused');
  });

  it('is empty in the background', async () => {
    vi.useFakeTimers();
    const { client, platform } = app();
    await show(client, <Banner />);
    await act(async () => {
      platform.hints.background();
      await vi.advanceTimersByTimeAsync(60_000);
    });
    expect([client.status.state, rendered?.toJSON()]).toEqual(['paused', 'nothing']);
  });
});
