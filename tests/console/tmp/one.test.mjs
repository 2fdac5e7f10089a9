import { test } from 'node:test';
import { emptyQueue, submit, ask } from '../api.mjs';
import { look, namesIn, open } from '../stage.mjs';
test('x', async () => {
  await emptyQueue();
  const product = await submit();
  await using admin = await open({ who: 'admin' });
  await using other = await open({ who: 'other' });
  for (const { page, network } of [admin, other]) { await look(page, product); network.hold(); }
  const all = [admin, other];
  for (const [i, p] of all.entries()) p.page.on('response', (r) => { if (r.url().includes('/api/')) console.log(i, r.status(), r.request().method(), r.url().slice(22)); });
  await Promise.all(all.map(({ page }) => page.getByRole('button', { name: /^Approve version/ }).click()));
  for (let n = 0; n < 8; n++) {
    await new Promise((r) => setTimeout(r, 700));
    for (const [i, { page }] of all.entries()) console.log(n, i, await namesIn(page), JSON.stringify(await page.locator('.toasts').innerText()), await page.locator('.indicator').innerText(), await page.locator('.rows').innerText());
    if (n === 3) for (const { network } of all) network.release();
  }
  console.log((await ask('GET', `/api/v1/products/${product.product_id}`, { who: 'admin' })).body.moderation_status);
});
