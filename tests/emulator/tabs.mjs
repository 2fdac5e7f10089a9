// Two tabs of a browser on the client package: node tabs.mjs, with URL, BUNDLE and PASSWORD in the environment.
// Writes the callbacks of the tabs, as JSON, after each step that a line of the input requests.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { launch } from '../../harness/browser/launch.mjs';
import { Network } from '../../harness/browser/network.mjs';

const { URL: HOST, BUNDLE, PASSWORD } = process.env;
const PATIENCE_MS = 60_000;

// The program runs in a page of the host itself, whose origin may connect. Chromium does not count a
// page that is created here as part of the local network, and would not let it connect.
const PAGE = '/health';
const program = readFileSync(BUNDLE, 'utf8');

const network = await Network.to(HOST);
const browser = await launch();
const context = await browser.newContext({ bypassCSP: true });
const tabs = new Map();
const complaints = [];
context.on('console', (message) => complaints.push(message.text()));

const steps = {
  /** Opens a tab, or loads it again. */
  async open(name) {
    const page = tabs.get(name) ?? (await context.newPage());
    tabs.set(name, page);
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(network.url + PAGE);
    await page.addScriptTag({ content: program, type: 'module' });
    await page.waitForFunction('window.app');
  },
  logIn: (name) => page(name).evaluate((password) => window.app.logIn(password), PASSWORD),
  call: (name, what, ...args) =>
    page(name).evaluate(([what, args]) => window.app[what](...args), [what, args]),
  /** Waits until a tab's callbacks have received something. */
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

async function toldAll() {
  return Promise.all([...tabs.values()].map((tab) => tab.evaluate('window.app?.told')));
}

function page(name) {
  return tabs.get(name);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [step, ...args] = JSON.parse(line);
  const answer = await steps[step](...args).then(
    (value) => ({ value: value ?? null }),
    async (problem) => ({ failed: String(problem), told: await toldAll(), complaints }),
  );
  console.log(JSON.stringify(answer));
}
await browser.close();
network.close();
