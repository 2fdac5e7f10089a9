// Moderators at work: several of them, edited products, lost networks, many products.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { approve, done, edit, emptyQueue, submit, submitMany } from './api.mjs';
import { look, namesIn, open, rowOf, says, shows, until } from './stage.mjs';

const approveButton = (page) => page.getByRole('button', { name: /^Approve version/ });

beforeEach(emptyQueue);

test('two moderators decide about one product at once, and the second sees who was first', async () => {
  const product = await submit();
  await using admin = await open({ who: 'admin' });
  await using other = await open({ who: 'other' });
  for (const { page, network } of [admin, other]) {
    await look(page, product);
    network.hold();
  }
  const pages = [admin.page, other.page];
  await Promise.all(pages.map((page) => approveButton(page).click()));
  const first = await Promise.all(
    pages.map((page) => page.locator('.toast').first().locator('b').textContent()),
  );
  first.sort();
  assert.match(first[0], /^Already approved by admin \d+$/);
  assert.equal(first[1], 'Approved');
  for (const { network, page } of [admin, other]) {
    network.release();
    await shows(page, []);
  }
});

// A benchmark measures the delay; this test only checks that no reload is needed.
test('a product that one moderator decides leaves the list of another, which shows who decided', async () => {
  const [product, next] = await submitMany(2);
  await using admin = await open({ who: 'admin' });
  await using other = await open({ who: 'other' });
  await look(admin.page, product);
  await shows(other.page, [product, next]);
  await approveButton(admin.page).click();
  await says(other.page, `“${product.product_name}” approved by admin`);
  await shows(other.page, [next]);
});

test('a product that the shop edits before the click is not decided, and the change is shown', async () => {
  const product = await submit({ price: 4990 });
  await using admin = await open({ who: 'admin' });
  const { page, network } = admin;
  await look(page, product);
  network.hold();
  await edit(product, { price: 1 });
  await approveButton(page).click();
  await says(page, 'Changed by the shop');
  await page.locator('.detail').getByText('The shop changed this product').waitFor();
  assert.match(await page.locator('.detail .note li').textContent(), /^Price: .*4,990/);
  const found = await done('GET', `/api/v1/products/${product.product_id}`, { who: 'admin' });
  assert.equal(found.moderation_status, 'pending');
  network.release();
  await page.getByRole('button', { name: 'Approve version 2' }).click();
  await says(page, 'Approved');
});

test('texts and addresses of shops are shown as text, run nothing and request nothing', async () => {
  const product = await submit({ product_name: '<img src=x onerror=alert(1)>', description: '<script>alert(1)</script>' });
  const hostile = {
    product_name: '<img src=x onerror=alert(1)>\u202Egnp.exe\u200B{{1}}',
    shop_name: '"><svg onload=alert(1)>\u2066',
    image_url: 'javascript:alert(1)',
  };
  await using admin = await open({ who: 'admin', before: (page) => answerWith(page, hostile) });
  const { page } = admin;
  let dialogs = 0;
  page.on('dialog', (dialog) => void (dialogs += 1) || dialog.dismiss());
  await rowOf(page, product).click();
  const name = await page.locator('#product-name').textContent();
  assert.ok(name.startsWith('<img src=x onerror=alert(1)>'), name);
  assert.equal(await page.locator('#product-name bdi').count(), 1);
  assert.ok(!/[\u202E\u200B]/.test(name), 'hidden characters are not shown as they are');
  await page.locator('.detail').getByText('<script>alert(1)</script>').waitFor();
  assert.equal(await page.locator('img').count(), 0);
  assert.equal(dialogs, 0);
  assert.deepEqual(admin.complaints, []);
  assert.deepEqual(admin.requested.filter((url) => !url.startsWith(admin.network.url)), []);
});

/** Changes the fields of every product in the queue's answers, which no server would accept. */
function answerWith(page, fields) {
  return page.route('**/api/v1/admin/moderation/queue**', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const items = body.items.map((item) => ({ ...item, ...fields }));
    await route.fulfill({ response, json: { ...body, items } });
  });
}

test('after a lost network no row is missing or repeated', async () => {
  const products = await submitMany(25);
  await using admin = await open({ who: 'admin' });
  const { page, network } = admin;
  await until(() => page.locator('.count').textContent(), (text) => text === '25', 'the count');
  network.cut();
  const offline = page.locator('.indicator.poor, .indicator.fair');
  await offline.waitFor({ timeout: 2000 });
  const [decided, left] = [products.slice(0, 20), products.slice(20)];
  for (const product of decided) await approve(product);
  const added = await submitMany(3);
  await page.locator('.chip.warning', { hasText: 'as of' }).waitFor();
  network.mend();
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.locator('.indicator.good').waitFor();
  await shows(page, [...left, ...added]);
  assert.equal(await page.locator('.chip.warning', { hasText: 'as of' }).count(), 0);
});

test('of a hundred products decided together, those that were decided before stay with the reason', async () => {
  const products = await submitMany(100);
  await using admin = await open({ who: 'admin' });
  const { page, network, frames } = admin;
  await until(() => page.locator('.count').textContent(), (text) => text === '100', 'the count');
  await look(page, products[0]);
  await page.keyboard.press('x');
  await page.getByRole('button', { name: 'Select all' }).click();
  network.hold();
  const before = products.slice(1, 4);
  for (const product of before) await approve(product);
  await page.getByRole('button', { name: 'Approve 100' }).click();
  await says(page, '97 products approved');
  await says(page, '3 products stay selected');
  network.release();
  await shows(page, before);
  for (const product of before) {
    await page.locator('.row', { hasText: product.product_name }).getByText(/approved by you|Already decided/).first().waitFor();
  }
  const batches = frames.filter((frame) => String(frame).split('"product.approved"').length > 2);
  assert.ok(batches.length >= 1 && batches.length <= 2, `${batches.length} frames`);
});

test('of five thousand pending products only those in sight are drawn', async () => {
  await using admin = await open({ who: 'admin', before: (page) => answerWithMany(page, 5000) });
  const { page } = admin;
  await until(() => page.locator('.count').textContent(), (text) => text === '5,000', 'the count');
  const scroller = page.locator('.scroller');
  let last = 0;
  let drawn = 0;
  while (last < 5000) {
    drawn = Math.max(drawn, await page.locator('.rows > li').count());
    await scroller.evaluate((box) => (box.scrollTop = box.scrollHeight));
    last = await until(
      () => page.locator('.rows > li').last().evaluate((row) => Number(row.ariaPosInSet)),
      (place) => place > last,
      'no more rows',
    );
  }
  assert.ok(drawn < 60, `${drawn} rows are drawn`);
  assert.deepEqual(admin.complaints, []);
});

/** Answers requests for the queue with pages of products that are nowhere else. */
async function answerWithMany(page, total) {
  const template = await submit();
  await page.route('**/api/v1/admin/moderation/queue**', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const first = Number(query.get('cursor') ?? 0);
    const limit = Number(query.get('limit'));
    const items = Array.from({ length: Math.min(limit, total - first) }, (_, place) => ({
      ...template,
      product_id: 1_000_000 + first + place,
      product_name: `Платье ${first + place}`,
    }));
    const cursor = first + limit < total ? String(first + limit) : null;
    await route.fulfill({ json: { items, total, cursor } });
  });
}

test('a reason that is being typed survives live updates and a reconnection', async () => {
  const [product, decided] = await submitMany(2);
  await using admin = await open({ who: 'admin' });
  const { page, network } = admin;
  await look(page, product);
  await page.keyboard.press('r');
  await page.locator('#notes').pressSequentially('Слишком тёмная');
  await approve(decided);
  await rowOf(page, decided).waitFor({ state: 'detached' });
  network.cut();
  await page.locator('.indicator.poor, .indicator.fair').waitFor();
  network.mend();
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.locator('.indicator.good').waitFor();
  const added = await submit();
  await rowOf(page, added).waitFor();
  await page.locator('#notes').pressSequentially(' фотография');
  assert.equal(await page.locator('#notes').inputValue(), 'Слишком тёмная фотография');
  await page.keyboard.press('Control+Enter');
  await says(page, 'Rejected');
});

test('a reason that is being typed survives a renewed token', async () => {
  const product = await submit();
  await using admin = await open({ who: 'admin', before: (page) => page.clock.install() });
  const { page } = admin;
  const tokens = new Set();
  page.on('request', (request) => {
    const token = request.headers()['authorization'];
    if (token) tokens.add(token);
  });
  await look(page, product);
  await page.keyboard.press('r');
  await page.locator('#notes').pressSequentially('Слишком тёмная');
  const before = new Set(tokens);
  const renewed = page.waitForResponse((answer) => answer.url().endsWith('/api/v1/auth/refresh'));
  // Less than an hour, for which the token is valid; what polls asks with a new one.
  await page.clock.fastForward('58:00');
  assert.equal((await renewed).status(), 200);
  await until(() => [...tokens].some((token) => !before.has(token)), Boolean, 'the new token is used');
  await page.locator('.indicator.good').waitFor();
  await page.locator('#notes').pressSequentially(' фотография');
  assert.equal(await page.locator('#notes').inputValue(), 'Слишком тёмная фотография');
  await page.keyboard.press('Control+Enter');
  await says(page, 'Rejected');
  const found = await done('GET', `/api/v1/products/${product.product_id}`, { who: 'admin' });
  assert.equal(found.decisions.at(-1).moderation_notes, 'Слишком тёмная фотография');
});

test('the message about a decision links to the product', async () => {
  const product = await submit();
  await using admin = await open({ who: 'admin' });
  const { page } = admin;
  await look(page, product);
  assert.match(await page.title(), /^\(1\) Queue/);
  await approveButton(page).click();
  await page.locator('.toast', { hasText: 'Approved' }).getByRole('link').click();
  await page.locator('#product-name', { hasText: product.product_name }).waitFor();
  await page.getByRole('button', { name: 'Withdraw…' }).waitFor();
  await until(() => page.title(), (title) => title.startsWith('Products'), 'nothing waits');
});

test('the whole job is done by the keyboard alone', async () => {
  const products = await submitMany(6);
  await using admin = await open({});
  const { page } = admin;
  const { keyboard } = page;
  await page.locator('#email').waitFor();
  await keyboard.type('admin@example.com');
  await keyboard.press('Tab');
  await keyboard.type(process.env.PASSWORD);
  await keyboard.press('Enter');
  await shows(page, products);
  await page.locator('#product-name').waitFor();
  const names = await namesIn(page);
  const showsOnly = (...places) => shows(page, places.map((place) => ({ product_name: names[place] })));

  await keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await keyboard.press('a');
  await says(page, 'Approved');
  await keyboard.press('r');
  await keyboard.type('Чужая фотография');
  await keyboard.press('Control+Enter');
  await says(page, 'Rejected');
  await showsOnly(2, 3, 4, 5);
  await keyboard.press('k');
  await keyboard.press('k');
  await keyboard.press('x');
  await keyboard.press('j');
  await keyboard.press('x');
  await page.locator('.count', { hasText: '2 selected' }).waitFor();
  await keyboard.press('a');
  await says(page, '2 products approved');
  await until(() => namesIn(page), (left) => left.length === 2, 'two are left');
  // The shown product may have left the list.
  const current = page.locator('li.current');
  while ((await current.getAttribute('aria-posinset')) !== '1') {
    await keyboard.press('k');
    await current.waitFor();
  }
  await keyboard.press('Space');
  await keyboard.press('Space');
  await page.locator('.count', { hasText: '2 selected' }).waitFor();
  await keyboard.press('r');
  await page.getByRole('dialog').waitFor();
  await keyboard.type('Повтор');
  await keyboard.press('Control+Enter');
  await until(() => namesIn(page), (left) => left.length === 0, 'none is left');
});
