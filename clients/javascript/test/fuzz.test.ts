/**
 * Random inputs, and checks after each: at most one socket, no dead end, no unhandled rejection, and
 * each event once and in order, or `refetch`.
 *
 * `npm run fuzz -- --minutes 10` plays for longer; `--seed N` plays a failure again.
 */

import { afterEach, expect, test, vi } from 'vitest';
import { randomFrom, World } from './world.js';

const MINUTES = Number(process.env['FUZZ_MINUTES'] ?? 0);
const SEED = process.env['FUZZ_SEED'];
const SHORT_RUNS = 40;
const STEPS = 250;

// Of the real clock, which the fake one replaces.
const { now } = Date;
const realImmediate = setImmediate;
const breathe = (): Promise<void> => new Promise((resolve) => void realImmediate(resolve));

afterEach(() => {
  vi.useRealTimers();
});

const counts: Record<string, number> = {};

/** Plays one run of an app; returns the violations. */
async function play(seed: number): Promise<string[]> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  const random = randomFrom(seed);
  const world = new World(random);
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  world.client.start();
  for (let step = 0; step < STEPS && !world.faults.length; step += 1) {
    take(world);
    await pass([0, 1, 20, 500, 5000, 40_000][world.below(6)] ?? 0);
    world.check();
  }
  if (!world.faults.length) await settle(world, pass);
  for (const [name, count] of Object.entries(world.counts))
    counts[name] = (counts[name] ?? 0) + count;
  vi.useRealTimers();
  vi.restoreAllMocks();
  await breathe();
  return world.faults;
}

/** One input: of the network, the server, the device or the app. */
function take(world: World): void {
  const socket = world.sockets[world.below(world.sockets.length)];
  const hints = ['foreground', 'background', 'online', 'offline'] as const;
  const reasons = [
    'token_expired',
    'everyone_disconnected',
    'too_many_connections',
    'of_tomorrow',
    'account_disconnected',
    'too_many_requests',
  ];
  switch (world.below(14)) {
    case 0:
      socket?.open();
      break;
    case 1:
      socket?.end();
      break;
    case 2:
      if (socket) socket.isDead = true;
      break;
    case 3:
    case 4: {
      const hint = hints[world.below(4)];
      if (hint) world.hints?.[hint]();
      break;
    }
    case 5:
      if (world.chance(0.3))
        socket?.deliver({
          event: 'closing',
          data: { reason: reasons[world.below(reasons.length)] },
        });
      break;
    case 6:
      if (world.chance(0.2)) world.renumber(['user', 'user:1', 'room:sale'][world.below(3)] ?? '');
      break;
    case 7:
      if (world.chance(0.1)) world.restart();
      break;
    case 8:
      vi.setSystemTime(world.below(2 ** 41));
      break;
    case 9:
      world.act(world.client);
      break;
    default:
      world.publish([...world.channels.keys()][world.below(world.channels.size)] ?? '');
  }
}

/** Nothing fails any more: the client has to be online soon, and to have all events. */
async function settle(world: World, pass: (ms: number) => Promise<unknown>): Promise<void> {
  world.isKind = true;
  for (const channel of world.channels.values()) channel.isFrozen = false;
  for (let waited = 0; waited < 15; waited += 1) {
    if (world.client.status.state === 'stopped') world.client.start();
    if (world.client.status.state === 'paused') world.hints?.foreground();
    await pass(30_000);
    world.check();
  }
  for (const channel of world.channels.keys()) world.publish(channel);
  await pass(60_000);
  world.checkEnd();
}

test(
  'whatever happens, one socket, no dead end, and each event once or `refetch`',
  async () => {
    const rejections: unknown[] = [];
    const collect = (reason: unknown): void => void rejections.push(reason);
    process.on('unhandledRejection', collect);
    const until = now() + MINUTES * 60_000;
    const first = SEED ? Number(SEED) : MINUTES ? now() % 2 ** 31 : 1;
    let played = 0;
    for (
      let seed = first;
      SEED ? seed === first : played < SHORT_RUNS || now() < until;
      seed += 1
    ) {
      const faults = await play(seed);
      expect(faults, `seed ${String(seed)}`).toEqual([]);
      expect(rejections, `seed ${String(seed)}`).toEqual([]);
      played += 1;
    }
    process.off('unhandledRejection', collect);
    // Otherwise nothing was tried.
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(played / 4);
    if (MINUTES)
      console.info(`${String(played)} lives of ${String(STEPS)} inputs: ${JSON.stringify(counts)}`);
  },
  Math.max(30_000, (MINUTES + 1) * 60_000),
);
