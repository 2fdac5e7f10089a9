import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findRow } from '../src/state/listing';
import { codeOf } from '../src/state/problems';
import { Live } from '../src/store/live';
import { Moderation } from '../src/store/moderation';
import { Server } from './server';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const A_WHILE = 1000;
const settle = () => vi.advanceTimersByTimeAsync(A_WHILE);

/** A moderator, number 1, who has read the queue of a server with this number of products. */
async function moderate(count: number) {
  const server = new Server(count);
  const said: string[] = [];
  const moderation = new Moderation(
    server.http,
    new Live(server.client),
    {
      decided: ({ product_id }, action) => said.push(`${action} ${product_id}`),
      decidedByOthers: ({ product_id }, { status, adminId }) =>
        said.push(`${status} ${product_id} by ${adminId}`),
      decidedTogether: (action, done, failed) => said.push(`${action} ${done}, not ${failed}`),
      refused: (error) => said.push(codeOf(error)),
    },
    { value: [] },
    1,
    'pending',
    null,
  );
  await moderation.list.load();
  const ids = () => moderation.list.listing.value.rows.map((row) => row.product.product_id);
  return { server, moderation, said, ids };
}

test('a row that somebody else decides shows by whom, and leaves within a second unless it is looked at', async () => {
  const { server, moderation, said, ids } = await moderate(3);
  moderation.attention.open(2);
  server.decide(2, 'approved');
  const outcome = { status: 'approved', adminId: 7 };
  expect(findRow(moderation.list.listing.value, 2)?.outcome).toEqual(outcome);
  await settle();
  expect(ids()).toEqual([1, 3]);
  expect(said).toEqual(['approved 2 by 7']);
  expect(moderation.attention.row.value?.outcome).toEqual(outcome);
  await moderation.decide('approve');
  expect(said).toHaveLength(1);
  moderation.attention.step(1);
  expect(moderation.attention.id.value).toBe(3);
});

test('a page that is older than an event does not bring a product back', async () => {
  const { server, moderation, ids } = await moderate(3);
  let release: () => void = () => undefined;
  const path = '/api/v1/admin/moderation/queue';
  server.delays[path] = new Promise((resolve) => (release = resolve));
  const loading = moderation.list.load();
  await settle();
  server.decide(2, 'rejected');
  server.submit(4);
  release();
  await loading;
  await settle();
  expect(ids()).toEqual([1, 3, 4]);
});

test('a product that is decided while it is read is not shown as pending', async () => {
  const { server, ids } = await moderate(1);
  let release: () => void = () => undefined;
  server.delays['/api/v1/products/{product_id}'] = new Promise((resolve) => (release = resolve));
  server.submit(2);
  await settle();
  server.decide(2, 'approved');
  release();
  await settle();
  expect(ids()).toEqual([1]);
});

test('a product that was edited between look and click is not decided, and its text stays', async () => {
  const { server, moderation, said } = await moderate(2);
  moderation.attention.open(1);
  moderation.write(1, 'Bad picture');
  const before = server.products.get(1);
  if (before) server.products.set(1, { ...before, version: 2, price: 200 });
  await moderation.decide('reject');
  expect(said).toEqual(['product_changed']);
  expect(server.products.get(1)?.moderation_status).toBe('pending');
  expect(moderation.attention.row.value?.before?.price).toBe(100);
  expect(moderation.drafts.value.get(1)).toBe('Bad picture');
  await moderation.decide('reject');
  expect(server.products.get(1)?.moderation_status).toBe('pending');
  await settle();
  await moderation.decide('reject');
  expect(server.products.get(1)?.moderation_status).toBe('rejected');
  expect(moderation.reasons.value).toEqual(['Bad picture']);
  expect(moderation.attention.id.value).toBe(2);
});

test('of two moderators who decide, the second sees who was first', async () => {
  const { server, moderation, said } = await moderate(2);
  moderation.attention.open(1);
  server.decide(1, 'rejected', false);
  await moderation.decide('approve');
  expect(said).toEqual(['already_moderated']);
  expect(moderation.attention.row.value?.outcome).toEqual({ status: 'rejected', adminId: 7 });
});

test('of several products decided together, those that fail stay selected, with their reasons', async () => {
  const { server, moderation, said, ids } = await moderate(100);
  moderation.selectAll();
  server.decide(10, 'approved', false);
  server.decide(20, 'rejected');
  const edited = server.products.get(30);
  if (edited) server.products.set(30, { ...edited, version: 2, price: 5 });
  await moderation.decideTogether('approve', '');
  await settle();
  expect(said).toEqual(['rejected 20 by 7', 'approve 97, not 3']);
  expect(ids()).toEqual([10, 20, 30]);
  const problems = moderation.list.listing.value.rows.map((row) => row.problem);
  expect(problems).toEqual(['already_moderated', 'already_moderated', 'product_changed']);
  expect(moderation.selection.value.get(30)).toBe(2);
  await moderation.decideTogether('approve', '');
  await settle();
  expect(ids()).toEqual([10, 20]);
  moderation.clearSelection();
  expect(ids()).toEqual([]);
});

test('after lost events the queue misses no row and has none twice', async () => {
  const { server, moderation, ids } = await moderate(150);
  await moderation.list.more();
  moderation.attention.open(5);
  moderation.write(5, 'Half a reason');
  for (let id = 1; id <= 20; id++) server.decide(id, 'approved', false);
  server.products.set(151, { ...(server.products.get(150) ?? {}), product_id: 151 } as never);
  server.refetch();
  await settle();
  expect(ids()).toEqual(Array.from({ length: 131 }, (_, index) => index + 21));
  expect(moderation.attention.row.value?.outcome).toEqual({ status: 'approved', adminId: 7 });
  expect(moderation.drafts.value.get(5)).toBe('Half a reason');
});
