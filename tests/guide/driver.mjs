// The guide's module as an app would use it, told what to do by lines of JSON.
//
//   node driver.mjs MODULE CONFIGURATION
//
// Reads {"id", "on": "app" | "tokens", "call", "args"}; writes {"answer": id, "value"},
// and what the app is told: {"event"} {"refetch"} {"state", "reason"} {"shown"} {"problem"}
// {"asked_token"} {"timer"}. Ends when its input does.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [, , module, configuration] = process.argv;
const config = JSON.parse(configuration);
const say = (report) => process.stdout.write(`${JSON.stringify(report)}\n`);

if (config.random !== undefined) Math.random = () => config.random;
const setTimer = globalThis.setTimeout;
globalThis.setTimeout = (act, delay) => {
  say({ timer: delay });
  return setTimer(act, delay);
};

const { createIndicator, createNotifications, createTokens } = await import(
  pathToFileURL(module)
);

// As AsyncStorage, in a file. Renamed into place, so that a kill leaves the old or the new.
const storage = {
  async getItem() {
    return existsSync(config.storage) ? readFileSync(config.storage, 'utf8') : null;
  },
  async setItem(_key, value) {
    writeFileSync(`${config.storage}.new`, value);
    renameSync(`${config.storage}.new`, config.storage);
  },
};

const safe = new Map();
const secrets = {
  getItem: async (key) => safe.get(key) ?? null,
  setItem: async (key, value) => void safe.set(key, value),
};
const tokens = createTokens({ url: config.tokensUrl ?? config.url, secrets });
let arrive = null;
const getTwoAtOnce = () => Promise.all([tokens.getToken(), tokens.getToken()]);

// Tokens are given one after another, the last one again and again. {"fails": …} is an error,
// {"late": …} a token that comes when `arrive` is called, and "never" one that does not come.
async function getToken(options) {
  say({ asked_token: options });
  const given = config.tokens.length > 1 ? config.tokens.shift() : config.tokens[0];
  if (given?.fails) throw new Error(given.fails);
  if (given?.late) return new Promise((resolve) => (arrive = () => resolve(given.late)));
  return given === 'never' ? new Promise(() => {}) : given;
}

const show = createIndicator((shown) => say({ shown }), { delayMs: config.indicatorMs });
const app = createNotifications({
  url: config.url,
  clientType: config.clientType,
  times: config.times,
  storage: config.storage ? storage : null,
  getToken: config.tokens ? getToken : tokens.getToken,
  onEvent(event) {
    say({ event });
    if (event.seq === config.failsAt) throw new Error('a mistake in the app');
  },
  onRefetch: (refetch) => say({ refetch }),
  onProblem: (problem) => say({ problem: problem.code ?? problem.message }),
  onState(state, reason) {
    say({ state, reason });
    show(state, reason);
  },
  ...(config.inProtocol && { openSocket: (url, token) => new WebSocket(url, ['bearer', token]) }),
});

for await (const line of createInterface({ input: process.stdin })) {
  const { id, on, call, args } = JSON.parse(line);
  Promise.resolve({ app, tokens: { ...tokens, getTwoAtOnce, arrive } }[on][call](...args)).then((value) =>
    say({ answer: id, value: value ?? null }),
  );
}
process.exit();
