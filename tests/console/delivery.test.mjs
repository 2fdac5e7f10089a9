// How the page is delivered, regardless of its content.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open } from './stage.mjs';

test('the page is shown under its policy and asks no other host', async () => {
  await using nobody = await open();
  await nobody.page.locator('input[type=password]').waitFor();
  assert.deepEqual(nobody.complaints, []);
  const elsewhere = nobody.requested.filter((url) => !url.startsWith(nobody.network.url));
  assert.deepEqual(elsewhere, []);
});

test('an inline script or style does not run, and the browser reports it', async () => {
  await using nobody = await open();
  const ran = await nobody.page.evaluate(() => {
    const script = document.createElement('script');
    try {
      script.textContent = 'window.ran = true';
    } catch {
      return 'refused before it was inserted';
    }
    document.body.append(script);
    return window.ran ? 'ran' : 'refused';
  });
  assert.match(ran, /refused/);
  await assert.rejects(
    nobody.page.evaluate(() => { document.body.innerHTML = '<b>x</b>'; }),
    /TrustedHTML/,
  );
  assert.notDeepEqual(nobody.complaints, []);
});

test('another page may not frame it', async () => {
  await using nobody = await open();
  const response = await nobody.page.goto(`${nobody.network.url}/console/`);
  const headers = await response.allHeaders();
  assert.match(headers['content-security-policy'], /frame-ancestors 'none'/);
  assert.equal(headers['x-frame-options'], 'DENY');
});
