// Measures the console with the queue of the stack at URL: requests, times, frame rates, memory. Prints a line of JSON.

import { launch } from '../../harness/browser/launch.mjs';

const { URL: HOST, PASSWORD } = process.env;
const REPETITIONS = 5;
const PASSES = 8;
const DECISIONS = 10;
const PROCESSORS = { 'as it is': 1, 'four times slower': 4 };

const browser = await launch();

/** Opens the console in a context of its own, logged in or not, and counts what is loaded. */
async function open(slowness, isLoggedIn) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
  await context.addInitScript(observe);
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowness });
  await devtools.send('Network.enable');
  const loaded = { bytes: 0, requests: 0 };
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
    loaded.bytes += encodedDataLength;
    loaded.requests += 1;
  });
  await page.goto(`${HOST}/console/`);
  await page.locator('#email').waitFor();
  const login = { ...loaded };
  if (isLoggedIn) await logIn(page, 'admin');
  return { context, page, devtools, login };
}

async function logIn(page, who) {
  await page.locator('#email').fill(`${who}@example.com`);
  await page.locator('#password').fill(PASSWORD);
  await page.locator('#password').press('Enter');
  await page.locator('.rows > li').first().waitFor();
}

/** Runs in the page: notes its long tasks, and when the first row of the queue is painted. */
function observe() {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    window.longTasks.push(...list.getEntries().map(({ startTime, duration }) => ({ startTime, duration })));
  }).observe({ type: 'longtask', buffered: true });
  new MutationObserver((_changes, observer) => {
    if (!document.querySelector('.rows > li [data-row]')) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.firstRowAt = performance.now())));
  }).observe(document, { childList: true, subtree: true });
}

async function measureLoad(slowness) {
  const { context, page, login } = await open(slowness, false);
  const firstPaint = await page.evaluate(() =>
    performance.getEntriesByName('first-contentful-paint').at(0)?.startTime,
  );
  await logIn(page, 'admin');
  // The session is this tab's, so that a reload is a visit to the queue.
  await page.reload();
  await page.waitForFunction(() => window.firstRowAt);
  const found = await page.evaluate(() => {
    const paint = performance.getEntriesByName('first-contentful-paint').at(0)?.startTime ?? 0;
    return {
      queuePaint: paint,
      rows: window.firstRowAt,
      blocking: window.longTasks
        .filter(({ startTime }) => startTime > paint)
        .reduce((sum, { duration }) => sum + Math.max(0, duration - 50), 0),
    };
  });
  await context.close();
  return { ...found, firstPaint, bytes: login.bytes, requests: login.requests };
}

/** Reads the whole queue, and scrolls through it several times. */
async function measureScrolling(slowness) {
  const { context, page, devtools } = await open(slowness, true);
  await page.mouse.move(400, 500);
  const total = await page.locator('.count').textContent();
  // Rows are read as the end comes near: until all are there, the heap grows with them.
  while ((await rowsRead(page)) < Number(total.replace(/\D/g, ''))) await scrollToEnd(page, 1);
  const heaps = [];
  const objects = [];
  const tasks = [];
  await takeTasks(page);
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const direction of [-1, 1]) await scrollToEnd(page, direction);
    tasks.push(...(await takeTasks(page)));
    objects.push(await countObjects(devtools));
    await devtools.send('HeapProfiler.collectGarbage');
    heaps.push((await devtools.send('Runtime.getHeapUsage')).usedSize);
    // The garbage collection of the measurement is not part of the scrolling.
    await takeTasks(page);
  }
  const rows = await page.locator('.rows > li').count();
  const read = await rowsRead(page);
  await context.close();
  return { heaps, objects, tasks, rows, read };
}

async function scrollToEnd(page, direction) {
  while (!(await isAtEnd(page, direction))) {
    await page.mouse.wheel(0, direction * 4000);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 16))));
  }
}

/** Returns the durations of the long tasks since the last call, once the browser has reported all. */
const takeTasks = (page) =>
  page.evaluate(async () => {
    await new Promise((told) => requestAnimationFrame(() => setTimeout(told, 100)));
    return window.longTasks.splice(0).map(({ duration }) => duration);
  });

const isAtEnd = (page, direction) =>
  page.locator('.scroller').evaluate(
    (box, isDown) => (isDown ? box.scrollTop + box.clientHeight + 1 >= box.scrollHeight : box.scrollTop === 0),
    direction > 0,
  );

const rowsRead = (page) =>
  page.locator('.rows > li').first().evaluate((row) => Number(row.getAttribute('aria-setsize')));

/** Returns how many objects the page has after a garbage collection, without the engine's own. */
async function countObjects(devtools) {
  const { result } = await devtools.send('Runtime.evaluate', { expression: 'Object.prototype' });
  const { objects } = await devtools.send('Runtime.queryObjects', { prototypeObjectId: result.objectId });
  const { result: count } = await devtools.send('Runtime.callFunctionOn', {
    objectId: objects.objectId,
    functionDeclaration: 'function () { return this.length; }',
    returnByValue: true,
  });
  for (const { objectId } of [result, objects]) await devtools.send('Runtime.releaseObject', { objectId });
  return count.value;
}

/** Returns the milliseconds from the click of one moderator until the row has left the list of another. */
async function measureDecisions() {
  const [one, other] = [await open(1, true), await open(1, true)];
  const delays = [];
  for (let number = 0; number < DECISIONS; number += 1) {
    const id = await one.page.locator('.rows > li.current [data-row]').getAttribute('data-row');
    const left = other.page.locator(`[data-row="${id}"]`).waitFor({ state: 'detached' });
    const begun = performance.now();
    await one.page.getByRole('button', { name: /^Approve version/ }).click();
    await left;
    delays.push(performance.now() - begun);
    await one.page.locator(`li.current [data-row="${id}"]`).waitFor({ state: 'detached' });
  }
  await one.context.close();
  await other.context.close();
  return delays;
}

const found = { loads: {}, scrolling: {}, version: browser.version() };
for (const [name, slowness] of Object.entries(PROCESSORS)) {
  found.loads[name] = [];
  for (let number = 0; number < REPETITIONS; number += 1) found.loads[name].push(await measureLoad(slowness));
  found.scrolling[name] = await measureScrolling(slowness);
}
found.decisions = await measureDecisions();
await browser.close();
console.log(JSON.stringify(found));
