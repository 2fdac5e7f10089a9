/** Tabs share one socket, and each has every event once and in order. */

import { afterEach, describe, expect, it, vi } from 'vitest';

import { TabSocket } from '../src/tabs.js';
import { FakeServer } from '../src/testing.js';
import type { Events } from '../src/types.js';

interface Frame {
  event: string;
  seq?: number;
  events?: Frame[];
  data: {
    positions?: Record<string, { seq: number }>;
    code?: string;
    room?: string;
    recovering?: string[];
  };
}

const ANNOUNCEMENT: Events['announcement.published']['data'] = {
  to: 'user',
  title: 'Sale',
  text: 'Now',
  admin_id: 3,
};

const opened: TabSocket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

let names = 0;

/** Opens tabs of one browser, each with its own token. */
function browser() {
  const server = new FakeServer();
  const tokens = server.tokens('user');
  const name = `test:${String((names += 1))}`;
  return {
    server,
    name,
    open: async () => {
      const token = (await tokens.get({ fresh: true, signal: new AbortController().signal })) ?? '';
      const address = `${server.url}/ws/user?batch=1`;
      const socket = new TabSocket(
        name,
        () => new server.WebSocket(address, ['bearer', token]) as never,
      );
      opened.push(socket);
      return new Tab(socket);
    },
  };
}

class Tab {
  readonly events: Frame[] = [];
  readonly received: string[] = [];
  /** Called when the tab is greeted. */
  greeted: () => void = () => undefined;

  constructor(readonly socket: TabSocket) {
    socket.onopen = () => this.received.push('open');
    socket.onclose = () => this.received.push('close');
    socket.onmessage = ({ data }: { data: string }) => {
      const frame = JSON.parse(data) as Frame;
      this.events.push(...(frame.events ?? [frame]));
      if (frame.event === 'connected') this.greeted();
    };
  }

  say(message: object) {
    this.socket.send(JSON.stringify(message));
  }

  names = () => this.events.map(({ event }) => event);
  seqs = () => this.events.flatMap(({ seq }) => seq ?? []);
}

const until = (check: () => void) =>
  expect
    .poll(() => {
      try {
        check();
        return 'done';
      } catch (problem) {
        return problem;
      }
    })
    .toBe('done');
const untilGreeted = (...tabs: Tab[]) =>
  until(() => {
    for (const tab of tabs) expect(tab.names()).toContain('connected');
  });

it('opens one socket for two tabs, which both get published events', async () => {
  const { server, open } = browser();
  const [one, two] = [await open(), await open()];
  await untilGreeted(one, two);
  await server.publish('announcement.published', ANNOUNCEMENT);
  await until(() => {
    expect([one.seqs(), two.seqs()]).toEqual([[1], [1]]);
  });
  expect(server.handshakes).toBe(1);
});

it('greets a later tab with the present positions of the channels', async () => {
  const { server, open } = browser();
  await untilGreeted(await open());
  await server.publish('announcement.published', ANNOUNCEMENT);
  const late = await open();
  await untilGreeted(late);
  expect(late.events[0]?.data).toMatchObject({ positions: { user: { seq: 1 } }, recovering: [] });
  expect(server.handshakes).toBe(1);
});

it('gives an answer to the tab that asked, and to no other', async () => {
  const { server, open } = browser();
  const [one, two] = [await open(), await open()];
  await untilGreeted(one, two);
  two.say({ type: 'join', room: 'admin.alerts' });
  one.say({ type: 'join', room: 'sale' });
  await until(() => {
    expect([one.names(), two.names()]).toEqual([
      ['connected', 'joined'],
      ['connected', 'error'],
    ]);
  });
  await server.publish('announcement.published', { ...ANNOUNCEMENT, to: 'room:sale' });
  await until(() => {
    expect(one.seqs()).toEqual([1]);
  });
  await server.publish('announcement.published', ANNOUNCEMENT);
  await until(() => {
    expect(two.seqs()).toEqual([1]);
  });
  expect(two.names()).toEqual(['connected', 'error', 'announcement.published']);
});

it('leaves a room when the last tab leaves it', async () => {
  const { server, open } = browser();
  const [one, two] = [await open(), await open()];
  await untilGreeted(one, two);
  for (const tab of [one, two]) tab.say({ type: 'join', room: 'sale' });
  await until(() => {
    expect([one.names().at(-1), two.names().at(-1)]).toEqual(['joined', 'joined']);
  });
  one.say({ type: 'leave', room: 'sale' });
  await until(() => {
    expect(one.names().at(-1)).toBe('left');
  });
  expect(server.connections[0]?.rooms).toContain('sale');
  two.say({ type: 'leave', room: 'sale' });
  await until(() => {
    expect(two.names().at(-1)).toBe('left');
  });
  expect(server.connections[0]?.rooms).not.toContain('sale');
});

it('closes with the tab that had the socket, and the next tab that connects opens it', async () => {
  const { server, open } = browser();
  const [one, two, three] = [await open(), await open(), await open()];
  await untilGreeted(one, two, three);
  one.socket.close();
  await until(() => {
    expect([two.received, three.received]).toEqual([
      ['open', 'close'],
      ['open', 'close'],
    ]);
  });
  const [again, another] = [await open(), await open()];
  await untilGreeted(again, another);
  expect([server.handshakes, server.connections.length]).toEqual([2, 1]);
});

it('is lost for all tabs when the tab that had it ends without notice', async () => {
  const { name, open } = browser();
  const channel = new BroadcastChannel(name);
  let crash: () => void = () => undefined;
  const crashed = new Promise<void>((resolve) => (crash = resolve));
  void navigator.locks.request(name, () => crashed);
  const [one, two] = [await open(), await open()];
  channel.postMessage({ kind: 'open', from: 'the tab that crashes' });
  await until(() => {
    expect([one.received, two.received]).toEqual([['open'], ['open']]);
  });
  crash();
  await until(() => {
    expect([one.received.at(-1), two.received.at(-1)]).toEqual(['close', 'close']);
  });
  channel.close();
});

it('is lost for all tabs at once', async () => {
  const { server, open } = browser();
  const [one, two] = [await open(), await open()];
  await untilGreeted(one, two);
  await server.disconnect('token_expired');
  await until(() => {
    expect([one.received, two.received]).toEqual([
      ['open', 'close'],
      ['open', 'close'],
    ]);
  });
  expect([one.names().at(-1), two.names().at(-1)]).toEqual(['closing', 'closing']);
});

it('is opened by the next tab when a handshake is refused', async () => {
  const { server, open } = browser();
  server.refuses = 1;
  const [one, two] = [await open(), await open()];
  await untilGreeted(two);
  expect([one.received, server.handshakes]).toEqual([['close'], 2]);
});

it('sends one ping for all tabs, and no token of another tab', async () => {
  const { server, open } = browser();
  const [one, two] = [await open(), await open()];
  await untilGreeted(one, two);
  server.hold();
  one.say({ type: 'ping' });
  two.say({ type: 'auth', token: 'a secret' });
  two.say({ type: 'ping' });
  await untilGreeted(await open()); // so the messages of the others have arrived
  await server.release();
  await until(() => {
    expect([one.names().at(-1), two.names().at(-1)]).toEqual(['pong', 'pong']);
  });
  expect(two.names()).toEqual(['connected', 'authenticated', 'pong']);
  expect(server.connections[0]?.messages).toEqual([{ type: 'ping' }]);
});

it('does not let a closed tab delay the requests of others', async () => {
  const { server, open } = browser();
  const [one, two, three] = [await open(), await open(), await open()];
  await untilGreeted(one, two, three);
  server.hold();
  two.say({ type: 'join', room: 'sale' });
  two.socket.close();
  three.say({ type: 'join', room: 'news' });
  await server.release();
  await until(() => {
    expect(three.events.at(-1)?.data.room).toBe('news');
  });
  expect(one.names()).toEqual(['connected']);
});

it('gives its answer to the tab that joins a room while the server still recovers', async () => {
  const { server, open } = browser();
  server.isAutomatic = false;
  const [one, two] = [await open(), await open()];
  one.greeted = () => {
    one.say({ type: 'join', room: 'sale' });
  };
  two.greeted = () => {
    two.say({ type: 'resume', positions: {} });
  };
  await until(() => {
    expect([one.received, two.received]).toEqual([['open'], ['open']]);
  });
  const [connection] = server.connections;
  const timestamp = '2026-01-01T00:00:00.000Z';
  const say = (event: string, data: object) => connection?.send({ event, timestamp, data });
  say('connected', { positions: {}, recovering: ['user'] });
  const wasSent = (...types: string[]) =>
    until(() => {
      expect(connection?.messages.map(({ type }) => type)).toEqual(types);
    });
  await untilGreeted(two, await open()); // so the request of the second has arrived
  say('recovered', { channels: {} });
  await wasSent('join');
  say('joined', { room: 'sale' });
  await wasSent('join', 'resume');
  say('recovered', { channels: {} });
  await until(() => {
    expect([one.names(), two.names()]).toEqual([
      ['connected', 'recovered', 'joined'],
      ['connected', 'recovered'],
    ]);
  });
});

describe('an answer that is later than the next request', () => {
  /** Two tabs: a request of the first has timed out, and the second waits for an answer. */
  async function waiting(late: object, present: object) {
    const { server, open } = browser();
    const [one, two] = [await open(), await open()];
    await untilGreeted(one, two);
    server.isAutomatic = false;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    one.say(late);
    vi.advanceTimersByTime(30_000);
    vi.useRealTimers();
    two.say(present);
    const [connection] = server.connections;
    await until(() => {
      expect(connection?.messages).toEqual([late, present]);
    });
    const say = ([event, data]: readonly [string, object]) => {
      connection?.send({ event, timestamp, data });
    };
    return { one, two, say };
  }
  const timestamp = '2026-01-01T00:00:00.000Z';
  const position = { epoch: 'e', seq: 0 };

  it.each([
    [
      'of another room',
      { type: 'join', room: 'sale' },
      { type: 'join', room: 'news' },
      ['joined', { room: 'sale', channel: 'room:sale', position }],
      ['joined', { room: 'news', channel: 'room:news', position }],
    ],
    [
      'of another kind',
      { type: 'resume', positions: {} },
      { type: 'join', room: 'news' },
      ['recovered', { channels: {} }],
      ['joined', { room: 'news', channel: 'room:news', position }],
    ],
    [
      'that refuses a token',
      { type: 'auth', token: 'T' },
      { type: 'join', room: 'news' },
      ['error', { code: 'token_invalid', message: '' }],
      ['error', { code: 'room_forbidden', message: '' }],
    ],
  ] as const)('%s is not taken for its answer', async (_, late, present, first, second) => {
    const { one, two, say } = await waiting(late, present);
    say(first);
    say(second);
    await until(() => {
      const answers = [one, two].map(({ events }) => events.slice(1));
      expect(answers).toEqual([
        [{ event: first[0], timestamp, data: first[1] }],
        [{ event: second[0], timestamp, data: second[1] }],
      ]);
    });
  });
});
