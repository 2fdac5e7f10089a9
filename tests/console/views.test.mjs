// All views: who has them, who can use them, and their functions besides moderation.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { beforeEach, test } from 'node:test';

import { approve, ask, done, emptyQueue, submit } from './api.mjs';
import { open, says, until } from './stage.mjs';

const VIEWS = {
  admin: ['queue', 'products', 'feed', 'announcements', 'accounts', 'settings', 'numbers'],
  shop: ['mine', 'feed'],
};
const HEADING = {
  queue: 'Queue',
  products: 'Products',
  feed: 'Events',
  announcements: 'Announcements',
  accounts: 'Accounts',
  settings: 'Settings',
  numbers: 'Numbers',
  mine: 'My products',
};

beforeEach(emptyQueue);

test('every view is shown without a complaint of the browser', async () => {
  await submit();
  for (const [who, views] of Object.entries(VIEWS)) {
    await using person = await open({ who });
    for (const view of views) {
      await show(person.page, view);
      await person.page.getByRole('heading', { level: 1, name: HEADING[view] }).waitFor();
    }
    assert.deepEqual(person.complaints, [], who);
  }
});

const axe = await readFile(
  new URL('../../harness/browser/node_modules/axe-core/axe.min.js', import.meta.url),
  'utf8',
);
const LOCALES = ['en-GB', 'ru-RU'];
const THEMES = ['light', 'dark'];

test('axe finds no barrier in any view, in both languages and themes', async () => {
  await approve(await submit({ description: 'Лён' }));
  await submit();
  const found = [];
  for (const locale of LOCALES) {
    await using nobody = await open({ locale });
    await nobody.page.locator('#email').waitFor();
    found.push(...(await barriers(nobody.page, 'login')));
    for (const [who, views] of Object.entries(VIEWS)) {
      await using person = await open({ who, locale });
      for (const view of views) {
        await show(person.page, view);
        found.push(...(await barriers(person.page, `${locale} ${view}`)));
      }
      if (who === 'admin') {
        await person.page.keyboard.press('?');
        await person.page.getByRole('dialog').waitFor();
        found.push(...(await barriers(person.page, `${locale} keys`)));
      }
    }
  }
  assert.deepEqual(found, []);
});

async function show(page, view) {
  await page.evaluate((hash) => (location.hash = hash), `#/${view}`);
  await page.locator(`main.view-${view} h1`).first().waitFor();
}

async function barriers(page, where) {
  await page.evaluate(axe);
  const found = [];
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => window.axe.run());
    for (const { id, nodes } of violations) {
      for (const { target, failureSummary } of nodes) {
        found.push(`${where}, ${colorScheme}: ${id} ${target} ${failureSummary}`);
      }
    }
  }
  return found;
}

test('on a phone nothing is wider than the screen', async () => {
  await submit({ product_name: 'Платье'.repeat(30) });
  const viewport = { width: 320, height: 640 };
  for (const [who, views] of Object.entries(VIEWS)) {
    await using person = await open({ who, viewport });
    for (const view of views) {
      await show(person.page, view);
      const width = await person.page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 320, `${view} is ${width} px wide`);
    }
  }
});

test('an announcement whose answer is lost is sent again and published once', async () => {
  await using admin = await open({ who: 'admin', path: '#/announcements' });
  const { page } = admin;
  // The first answer is lost. The client repeats the request, and gets an answer that settles nothing.
  const problem = { type: '/problems#internal_error', title: 'x', status: 500, code: 'internal_error' };
  let asked = 0;
  await page.route('**/api/v1/admin/announcements', async (route) => {
    asked += 1;
    if (asked === 2) return route.fulfill({ status: 500, json: problem });
    const response = await route.fetch();
    return asked === 1 ? route.abort() : route.fulfill({ response });
  });
  const title = `Распродажа ${Date.now()}`;
  await page.getByLabel('Title').fill(title);
  await page.getByLabel('Text').fill('Завтра');
  await page.getByRole('button', { name: 'Send…' }).click();
  await page.getByRole('dialog').getByRole('button').first().click();
  await page.getByText('No answer came').waitFor();
  await page.getByRole('button', { name: 'Send again' }).click();
  await says(page, 'Sent');
  const { events } = await done('GET', '/api/v1/events?channel=user&limit=100', { who: 'user' });
  assert.equal(events.filter((event) => event.data.title === title).length, 1);
});

test('an announcement is shown as text in the list of events, and runs nothing', async () => {
  const title = `<img src=x onerror=alert(1)> ${Date.now()}`;
  await using admin = await open({ who: 'admin', path: '#/feed' });
  const { page } = admin;
  let dialogs = 0;
  page.on('dialog', (dialog) => void (dialogs += 1) || dialog.dismiss());
  const body = { to: 'admin', title, text: '"><svg onload=alert(1)>' };
  await done('POST', '/api/v1/admin/announcements', { who: 'admin', body });
  const row = page.locator('.event', { hasText: title });
  await row.click();
  await page.locator('.raw').getByText('svg onload').waitFor();
  await page.reload();
  await row.waitFor();
  assert.equal(await page.locator('img, main svg[onload]').count(), 0);
  assert.equal(dialogs, 0);
  assert.deepEqual(admin.complaints, []);
});

test('a shop sees at once why its product was rejected, and submits it again', async () => {
  const product = await submit();
  await using shop = await open({ who: 'shop' });
  const { page } = shop;
  const row = (text) => page.locator('.row', { hasText: product.product_name }).getByText(text);
  await row(/./).first().waitFor();
  await done('POST', `/api/v1/admin/products/${product.product_id}/reject`, {
    who: 'admin',
    body: { moderation_notes: 'Чужая фотография' },
  });
  await page.getByRole('button', { name: 'Rejected', exact: true }).click();
  await row('Rejected: Чужая фотография').waitFor();
  await page.locator('.row', { hasText: product.product_name }).getByRole('button').click();
  await page.getByLabel('Price').fill('5990');
  await page.getByRole('button', { name: 'Submit for moderation' }).click();
  await says(page, 'Submitted for moderation');
  const found = await done('GET', `/api/v1/products/${product.product_id}`, { who: 'shop' });
  assert.deepEqual([found.moderation_status, found.price], ['pending', 5990]);
});

test('a price has the same currency for moderators and for the shop', async () => {
  const product = await submit({ price: 4990 });
  const row = { hasText: product.product_name };
  await using admin = await open({ who: 'admin' });
  await admin.page.locator('.row', row).getByText('₽4,990').waitFor();
  await admin.page.locator('.detail').getByText('₽4,990').waitFor();
  await using shop = await open({ who: 'shop' });
  await shop.page.locator('.row', row).getByText('₽4,990').waitFor();
  await shop.page.locator('.row', row).getByRole('button').click();
  assert.equal(await shop.page.getByLabel('Price, RUB').inputValue(), '4990');
});

test('numbers continue after a reload of the page', async () => {
  await approve(await submit());
  await using admin = await open({ who: 'admin', path: '#/numbers' });
  const { page } = admin;
  const perMinute = page.getByRole('region', { name: 'Events a minute' }).locator('rect[height]:not([height="0"])');
  const begin = page.getByRole('region', { name: 'Admins' }).getByText('in this tab since');
  const since = await begin.textContent();
  await perMinute.first().waitFor();
  await page.reload();
  await page.locator('.indicator.good').waitFor();
  // The events are from before this page; the connections were sampled by the page before.
  await perMinute.first().waitFor();
  assert.equal(await begin.textContent(), since);
});

test('on a phone an event has a summary, and the open section is in sight', async () => {
  const product = await submit();
  await using admin = await open({ who: 'admin', path: '#/feed', viewport: { width: 320, height: 640 } });
  const { page } = admin;
  await page.locator('.event', { hasText: product.product_name }).first().getByText(product.product_name).waitFor();
  await show(page, 'numbers');
  await until(
    () => page.locator('nav [aria-current]').evaluate((link) => link.getBoundingClientRect().right),
    (right) => right <= 320,
    'the section is beyond the screen',
  );
});

test('settings that somebody changed meanwhile are shown side by side', async () => {
  await using admin = await open({ who: 'admin', path: '#/settings' });
  const { page, network } = admin;
  const fee = page.getByLabel('Approval fee');
  const before = await fee.inputValue();
  network.hold();
  const current = await ask('GET', '/api/v1/admin/settings', { who: 'admin' });
  await done('PUT', '/api/v1/admin/settings', {
    who: 'admin',
    body: { ...current.body, approval_fee: Number(before) + 1 },
    headers: { 'If-Match': current.headers.get('etag') },
  });
  await fee.fill(String(Number(before) + 2));
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Somebody changed the settings meanwhile').waitFor();
  const row = page.getByRole('row', { name: /Approval fee/ });
  for (const value of [0, 1, 2]) assert.match(await row.textContent(), new RegExp(String(Number(before) + value)));
});

test('a buyer has no pages, and a shop none of an administrator', async () => {
  await using user = await open({ who: 'user', path: '#/queue' });
  await user.page.getByText('This account has no pages here').waitFor();
  assert.equal(await user.page.locator('nav, .rows, form').count(), 0);
  await using shop = await open({ who: 'shop', path: '#/settings' });
  await shop.page.locator('main.view-mine').waitFor();
  const links = await shop.page.locator('nav a').evaluateAll((all) => all.map((each) => each.hash));
  assert.deepEqual(links, ['#/mine', '#/feed']);
  assert.deepEqual(shop.requested.filter((url) => url.includes('/admin/')), []);
});

test('every route of administrators is forbidden to the tokens of others', async () => {
  const { paths } = await done('GET', '/openapi.json');
  const tried = [];
  for (const [path, operations] of Object.entries(paths)) {
    if (!path.startsWith('/api/v1/admin/')) continue;
    for (const method of Object.keys(operations)) {
      for (const who of ['user', 'shop']) {
        const address = path.replace(/\{\w+\}/g, '1');
        const body = ['post', 'put'].includes(method) ? {} : undefined;
        const answer = await ask(method.toUpperCase(), address, { who, body });
        tried.push([who, method, path, answer.status, answer.body?.code]);
      }
    }
  }
  assert.ok(tried.length > 20);
  const allowed = tried.filter(([, , , status]) => status !== 403);
  assert.deepEqual(allowed, []);
});
