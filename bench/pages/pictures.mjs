// Takes the pictures of the README on the stack at URL: node pictures.mjs FOLDER. Writes queue.png, and
// the frames approval-1.png … of a decision and of the phone of its shop. Prints their names as JSON.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { launch } from '../../harness/browser/launch.mjs';

const { URL: HOST, PASSWORD } = process.env;
const [folder] = process.argv.slice(2);

const DESK = { width: 1240, height: 800 };
const PHONE = { width: 360, height: 800 };
const GAP = 24;
const PRODUCTS = [
  ['shop', 'Красное платье', 4990, 'Лён, ручная работа. Размеры от 42 до 52.'],
  ['polyus', 'Кожаный рюкзак', 12900, 'Растительное дубление, латунная фурнитура.'],
  ['elka', 'Керамическая ваза', 2350, 'Высота 24 см, матовая глазурь.'],
  ['elka', 'Шерстяной плед', 6400, 'Меринос, 140 × 200 см.'],
  ['shop', 'Пальто «Зима»', 18900, 'Шерсть и кашемир, прямой крой.'],
  ['elka', 'Набор пиал', 1990, 'Шесть штук, каждая расписана вручную.'],
  ['shop', 'Вязаная шапка', 1450, 'Альпака с шёлком.'],
  ['polyus', 'Куртка «Север»', 12300, 'Мембрана, пух, два внутренних кармана.'],
  ['elka', 'Льняные шторы', 5600, 'Две шторы по 150 × 260 см.'],
];
const OF_SHOP = PRODUCTS.filter(([who]) => who === 'shop').length;

const browser = await launch();

/** Returns the body of the answer to a request. */
async function ask(method, path, token, body, headers = {}) {
  const response = await fetch(HOST + path, {
    method,
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, ...headers },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function tokenOf(who) {
  const body = { email: `${who}@example.com`, password: PASSWORD };
  return (await ask('POST', '/api/v1/auth/login', '', body)).access_token;
}

/** Submits the products; the first one is rejected once, and submitted again. */
async function submit() {
  const admin = await tokenOf('admin');
  for (const [place, [who, product_name, price, description]] of PRODUCTS.entries()) {
    const product = { product_name, price, description };
    const shop = await tokenOf(who);
    const { product_id: id } = await ask('POST', '/api/v1/products', shop, product);
    if (place !== 0) continue;
    const why = { moderation_notes: 'На фотографии другое изделие' };
    await ask('POST', `/api/v1/admin/products/${id}/reject`, admin, why);
    await ask('PUT', `/api/v1/products/${id}`, shop, { ...product, price: 4490 });
  }
}

async function open(who, viewport, path = '') {
  const context = await browser.newContext({ locale: 'en-GB', viewport, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${HOST}/console/${path}`);
  await page.locator('#email').fill(`${who}@example.com`);
  await page.locator('#password').fill(PASSWORD);
  await page.locator('#password').press('Enter');
  await page.locator('.indicator.good').waitFor();
  return page;
}

/** Writes two screenshots beside each other as one picture. */
async function write(name, left, right) {
  const source = (picture) => `data:image/png;base64,${picture.toString('base64')}`;
  const width = DESK.width + PHONE.width + 3 * GAP;
  const height = DESK.height + 2 * GAP;
  const page = await browser.newPage({ viewport: { width, height } });
  await page.setContent(
    `<body style="margin:${GAP}px;display:flex;gap:${GAP}px;background:#8a8f98">
      <img src="${source(left)}" style="border-radius:8px">
      <img src="${source(right)}" style="border-radius:24px">`,
  );
  await writeFile(join(folder, name), await page.screenshot());
  await page.close();
}

await submit();
const desk = await open('admin', DESK);
await desk.locator('.rows > li').nth(PRODUCTS.length - 1).waitFor();
await desk.locator('[data-row]', { hasText: PRODUCTS[0][1] }).click();
await desk.locator('.history li').first().waitFor();
// The numbers beside the sections are lines when there are some of them.
await desk.waitForTimeout(11_000);
await writeFile(join(folder, 'queue.png'), await desk.screenshot());

const phone = await open('shop', PHONE);
await phone.locator('.rows > li').nth(OF_SHOP - 1).waitFor();
await desk.locator('#notes').fill('Отличный товар');
const frames = ['approval-1.png', 'approval-2.png', 'approval-3.png'];
await write(frames[0], await desk.screenshot(), await phone.screenshot());
// The row shows the decision for a moment, and disappears.
const leaving = phone.locator('li.outcome').waitFor().then(() => phone.screenshot());
await desk.getByRole('button', { name: /^Approve version/ }).click();
await desk.locator('.toast').first().waitFor();
await write(frames[1], await desk.screenshot(), await leaving);
await phone.getByRole('button', { name: 'Approved', exact: true }).click();
await phone.locator('.rows > li', { hasText: PRODUCTS[0][1] }).first().waitFor();
await write(frames[2], await desk.screenshot(), await phone.screenshot());
await browser.close();
console.log(JSON.stringify({ queue: 'queue.png', frames }));
