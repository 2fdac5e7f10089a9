// A browser for all tests, and a page for each person in them.

import { after } from 'node:test';

import { collect } from '../../harness/browser/complaints.mjs';
import { launch } from '../../harness/browser/launch.mjs';
import { Network } from '../../harness/browser/network.mjs';

const { URL: HOST, PASSWORD } = process.env;

const browser = await launch();
after(() => browser.close());

/**
 * Returns a page of the console in a context of its own, whose network can be cut.
 *
 * `who` logs in through the form: `admin`, `shop` or `user`; without it the form is shown.
 */
export async function open({ who, path = '', network, ...options } = {}) {
  network ??= await Network.to(HOST);
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const complaints = await collect(context);
  const requested = [];
  context.on('request', (request) => requested.push(request.url()));
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(`${network.url}/console/${path}`);
  if (who) await logIn(page, who);
  const close = async () => {
    await context.close();
    network.close();
  };
  return { page, context, network, complaints, requested, close, [Symbol.asyncDispose]: close };
}

async function logIn(page, who) {
  await page.locator('input[type=email]').fill(`${who}@example.com`);
  await page.locator('input[type=password]').fill(PASSWORD);
  await page.locator('input[type=password]').press('Enter');
}
