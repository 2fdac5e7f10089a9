// Two tabs of a browser on the client package: node tabs.mjs, with URL, BUNDLE and PASSWORD in the environment.
//
// Writes what the tabs were told, as JSON, after each step that a line of the input asks for.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { launch } from '../../harness/browser/launch.mjs';
import { Network } from '../../harness/browser/network.mjs';

const { URL: HOST, BUNDLE, PASSWORD } = process.env;
const HOLD_MS = 60_000;

// The page is of the host itself, so its origin may connect.
const PAGE = '<!doctype html><title>Tabs</title><script type="module" src="/tabs.js"></script>';

const network = await Network.to(HOST);
const browser = await launch();
const context = await browser.newContext();
await context.route('**/tabs.html', (route) => route.fulfill({ contentType: 'text/html', body: PAGE }));
await context.route('**/tabs.js', (route) =>
  route.fulfill({ contentType: 'text/javascript', body: readFileSync(BUNDLE, 'utf8') }),
);

const tabs = new Map();

const steps = {
  /** Opens a tab, or loads it again. */
  async open(name) {
    const page = tabs.get(name) ?? (await context.newPage());
    tabs.set(name, page);
    page.setDefaultTimeout(HOLD_MS);
    await page.goto(`${network.url}/tabs.html`);
    await page.waitForFunction('window.app');
  },
  logIn: (name) => page(name).evaluate((password) => window.app.logIn(password), PASSWORD),
  call: (name, what, ...args) =>
    page(name).evaluate(([what, args]) => window.app[what](...args), [what, args]),
  /** Waits until a tab was told something. */
  wait: (name, what) =>
    page(name).waitForFunction((what) => window.app.told.includes(what), what).then(() => null),
  told: (name) => page(name).evaluate('window.app.told'),
  async close(name) {
    await page(name).close();
    tabs.delete(name);
  },
  async cut() {
    await context.setOffline(true);
    network.cut();
  },
  async mend() {
    network.mend();
    await context.setOffline(false);
  },
};

function page(name) {
  return tabs.get(name);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [step, ...args] = JSON.parse(line);
  const answer = await steps[step](...args).then(
    (value) => ({ value: value ?? null }),
    (problem) => ({ failed: String(problem) }),
  );
  console.log(JSON.stringify(answer));
}
await browser.close();
network.close();
