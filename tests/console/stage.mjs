// A browser for all tests, a page for each person in them, and what people do on it.

import assert from 'node:assert/strict';
import { after, afterEach, beforeEach } from 'node:test';

import { collect } from '../../harness/browser/complaints.mjs';
import { launch } from '../../harness/browser/launch.mjs';
import { Network } from '../../harness/browser/network.mjs';

const { URL: HOST, PASSWORD } = process.env;
// The first connection of a stack waits for functions that start cold.
const PATIENCE_MS = 60_000;

const browser = await launch();
after(() => browser.close());

// What the pages of a test showed in the end, and were answered: printed if it fails.
const closed = [];
beforeEach(() => void (closed.length = 0));
afterEach(({ name, passed }) => {
  if (!passed) for (const page of closed) console.error(`${name}: ${JSON.stringify(page, null, 1)}`);
});

/**
 * Opens the console in a context of its own, whose network can be cut.
 *
 * `who` logs in through the form: `admin`, `other` (a second moderator), `shop` or `user`.
 */
export async function open({ who, path = '', before, ...options } = {}) {
  const network = await Network.to(HOST);
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const complaints = await collect(context);
  const requested = [];
  context.on('request', (request) => requested.push(request.url()));
  const answers = [];
  const note = (request, outcome) => answers.push(`${request.method()} ${request.url()}: ${outcome}`);
  context.on('response', (response) => note(response.request(), response.status()));
  context.on('requestfailed', (request) => note(request, request.failure()?.errorText));
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const frames = [];
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(payload)));
  const close = async () => {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    const text = await page.locator('body').innerText({ timeout: 1000 }).catch(String);
    closed.push({ who, url: page.url(), text, answers: answers.slice(-20), frames: frames.slice(-5) });
    await context.close();
    network.close();
  };
  try {
    await before?.(page);
    await page.goto(`${network.url}/console/${path}`);
    if (who) await logIn(page, who);
  } catch (error) {
    // An open network would keep this process running.
    await close();
    throw error;
  }
  return { page, context, network, complaints, requested, frames, [Symbol.asyncDispose]: close };
}

async function logIn(page, who) {
  await page.locator('#email').fill(`${who}@example.com`);
  await page.locator('#password').fill(PASSWORD);
  await page.locator('#password').press('Enter');
  await page.locator('#password').waitFor({ state: 'detached' });
  if (who !== 'user') await page.locator('.indicator.good').waitFor();
}

/** Waits until what is read satisfies a check, and returns it. */
export async function until(read, isWanted, what, patience = PATIENCE_MS) {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await read();
    if (isWanted(found)) return found;
    if (Date.now() > deadline) assert.fail(`${what}: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Returns the row of a product in a list. */
export const rowOf = (page, { product_id: id }) => page.locator(`[data-row="${id}"]`);

/** Looks at a product, and waits until it is shown. */
export async function look(page, product) {
  await rowOf(page, product).click();
  await page.locator('#product-name', { hasText: product.product_name }).waitFor();
}

/** Returns the names of all rows that are drawn, from the first one down. */
export function namesIn(page) {
  return page.locator('.rows > li').evaluateAll((rows) =>
    rows
      .sort((one, other) => Number(one.ariaPosInSet) - Number(other.ariaPosInSet))
      .map((row) => row.querySelector('.name').textContent),
  );
}

/** Waits until the list has exactly these products, in any order. */
export async function shows(page, products) {
  const wanted = products.map((product) => product.product_name).sort();
  await until(
    async () => (await namesIn(page)).sort(),
    (names) => JSON.stringify(names) === JSON.stringify(wanted),
    `the list is not ${wanted}`,
  );
}

/** Waits for a message of the page. */
export const says = (page, text) => page.locator('.toast', { hasText: text }).first().waitFor();
