// An app on the client package, controlled by lines of JSON.
//
//   node driver.mjs CONFIGURATION
//
// Reads {"id", "on": "app" | "tokens" | "session", "call", "args"};
// writes {"answer": id, "value"}, and the app's callbacks: {"event"} {"refetch"} {"state", "reason"}
// {"shown"} {"problem"} {"asked_token"} {"timer"}. Ends when its input does.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

import { node, Session, VitrinaClient, watchBanner } from '@vitrina/client';

const [, , configuration] = process.argv;
const config = JSON.parse(configuration);
const say = (report) => process.stdout.write(`${JSON.stringify(report)}\n`);

if (config.random !== undefined) Math.random = () => config.random;
const setTimer = globalThis.setTimeout;
globalThis.setTimeout = (act, delay, ...more) => {
  say({ timer: delay });
  return setTimer(act, delay, ...more);
};

// As AsyncStorage, in a file. Renamed into place, so that a kill leaves the old or the new.
const store = {
  async getItem() {
    return existsSync(config.storage) ? readFileSync(config.storage, 'utf8') : null;
  },
  async setItem(_key, value) {
    writeFileSync(`${config.storage}.new`, value);
    renameSync(`${config.storage}.new`, config.storage);
  },
  async removeItem() {
    rmSync(config.storage, { force: true });
  },
};

const safe = new Map();
const session = new Session({
  url: config.url,
  secrets: {
    getItem: async (key) => safe.get(key) ?? null,
    setItem: async (key, value) => void safe.set(key, value),
    removeItem: async (key) => void safe.delete(key),
  },
});
let arrive = null;

// Tokens are returned one after another; the last one is repeated. {"fails": …} is an error,
// {"late": …} a token that comes when `arrive` is called, and "never" one that does not come.
const tokens = {
  async get({ fresh }) {
    say({ asked_token: { fresh } });
    const given = config.tokens.length > 1 ? config.tokens.shift() : config.tokens[0];
    if (given?.fails) throw new Error(given.fails);
    if (given?.late) return new Promise((resolve) => (arrive = () => resolve(given.late)));
    return given === 'never' ? new Promise(() => {}) : given;
  },
};

let device = null;
const client = new VitrinaClient({
  url: config.url,
  as: config.as ?? 'user',
  times: config.times,
  tokens: config.tokens ? tokens : session,
  platform: {
    ...node({
      ...(config.ws && { WebSocket: createRequire(config.ws)('ws') }),
      ...(config.storage && { store }),
    }),
    watch(hints) {
      device = hints;
      return () => (device = null);
    },
  },
});
client.on('*', (event) => {
  say({ event });
  if (event.seq === config.failsAt) throw new Error('a mistake in the app');
});
client.onRefetch((refetch) => say({ refetch }));
client.onError((problem) => say({ problem: problem.code ?? problem.message }));
client.onStatus(({ state, reason = null }) => say({ state, reason }));
watchBanner(client, (status) => say({ shown: status?.state ?? null }), config.bannerMs);

const app = {
  start: () => client.start(),
  stop: () => client.stop(),
  logout: () => client.logout(),
  join: (name) => void client.room(name).join().catch(() => {}),
  leave: (name) => void client.room(name).leave(),
  position: (channel) => client.position(channel),
  hint: (name) => device?.[name](),
  login: async (email, password) => {
    await session.login(email, password);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, on, call, args } = JSON.parse(line);
  const called = { app, tokens: { arrive } }[on][call];
  Promise.resolve(called(...args)).then(
    (value) => say({ answer: id, value: value ?? null }),
    (problem) => say({ answer: id, value: { failed: problem.code ?? problem.message } }),
  );
}
process.exit();
