// The result of loading a page in a browser, as JSON: node browse.mjs URL.

import { launch } from '../../harness/browser/launch.mjs';

const [url] = process.argv.slice(2);
const browser = await launch();
const page = await browser.newPage();
const requested = [];
const complaints = [];
page.on('request', (request) => requested.push(request.url()));
page.on('console', (message) => complaints.push(message.text()));
page.on('pageerror', (error) => complaints.push(error.message));

await page.goto(url);
await page.waitForSelector('.opblock');
const operations = await page.locator('.opblock').count();
await page.locator('.opblock-summary-control').first().click();
await page.waitForSelector('.responses-table');
const complaintsOfItsOwn = [...complaints];

const ranInline = await page.evaluate(() => {
  const script = document.createElement('script');
  script.textContent = 'window.ranInline = true';
  document.body.append(script);
  return window.ranInline === true;
});
await browser.close();
console.log(JSON.stringify({ operations, requested, complaints: complaintsOfItsOwn, ranInline }));
