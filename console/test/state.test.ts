import { expect, test } from 'vitest';
import { conflicts, merge } from '../src/state/conflict';
import { eventsPerMinute, merged, positionBefore, type FeedEvent } from '../src/state/feed';
import { emptyListing, withPage } from '../src/state/listing';
import { linePaths, linesOf, percentile, readSamples, thinned } from '../src/state/numbers';
import { pictureAddress } from '../src/state/product';
import { readReasons, withReason } from '../src/state/reasons';
import { requestsFor, toggled, withSelected } from '../src/state/selection';
import { begun, EDITING, failed, readSending } from '../src/state/sending';
import { product } from './products';

test('a selected product is decided by the version that was seen when it was selected', () => {
  const selection = withSelected(new Map(), [product(1), product(2, { version: 3 })]);
  const changed = [product(1, { version: 2 }), product(2, { version: 3 })];
  const listing = withPage(emptyListing('oldest first'), changed, null);
  expect(requestsFor(selection, listing)).toEqual([
    [
      { product_id: 1, version: 1 },
      { product_id: 2, version: 3 },
    ],
  ]);
  expect(toggled(selection, product(1)).has(1)).toBe(false);
});

test('more products than fit into a request are decided in several', () => {
  const many = Array.from({ length: 201 }, (_, index) => product(index + 1));
  const listing = withPage(emptyListing('oldest first'), many, null);
  const sizes = requestsFor(withSelected(new Map(), many), listing).map((each) => each.length);
  expect(sizes).toEqual([100, 100, 1]);
});

const announcement = { to: 'user', title: 'Sale', text: 'Today' };

test('without an answer the same content is sent again with the same key', () => {
  const unsure = failed(
    begun(EDITING, announcement, () => 'first'),
    'network',
  );
  expect(unsure.state).toBe('unsure');
  const again = begun(unsure, { ...announcement, title: 'Edited' }, () => 'second');
  expect(again).toEqual({ state: 'sending', key: 'first', content: announcement });
  expect(readSending(JSON.stringify(again))).toEqual(unsure);
});

test('after a refusal the next attempt is another announcement', () => {
  expect(
    failed(
      begun(EDITING, announcement, () => 'key'),
      'request_invalid',
    ),
  ).toBe(EDITING);
  for (const kept of [null, '', '{', 'null', '{"key":1}']) expect(readSending(kept)).toBe(EDITING);
});

test('settings that two people changed are shown, and both keep what only they changed', () => {
  const before = { fee: 5, currency: 'RUB', notes: 100 };
  const mine = { fee: 6, currency: 'RUB', notes: 200 };
  const theirs = { fee: 7, currency: 'EUR', notes: 100 };
  const found = conflicts(before, mine, theirs);
  expect(found.map(({ field }) => field)).toEqual(['fee', 'currency']);
  expect(merge(before, mine, theirs, new Set())).toEqual({ fee: 6, currency: 'EUR', notes: 200 });
  expect(merge(before, mine, theirs, new Set(['fee']))['fee']).toBe(7);
});

const event = (seq: number): FeedEvent => ({
  id: `e${seq}`,
  event: 'product.approved',
  channel: 'admin',
  seq,
  timestamp: '2026-01-01T00:00:00Z',
  data: {},
});

test('events of pages and of the connection are merged without repeats, the newest first', () => {
  const events = merged([event(5), event(4)], [event(6), event(5), event(2)]);
  expect(events.map(({ seq }) => seq)).toEqual([6, 5, 4, 2]);
  expect(positionBefore(events, 100)).toBe(0);
  expect(positionBefore([event(150)], 100)).toBe(49);
  expect(positionBefore([event(1)], 100)).toBeNull();
});

test('only pictures that a server keeps behind https are requested', () => {
  const addressOf = (image_url: string) => pictureAddress(product(1, { image_url }));
  expect(addressOf('https://images.example.com/a.jpg')).toBe('https://images.example.com/a.jpg');
  for (const address of [
    'javascript:alert(1)',
    'http://a.example/',
    'data:image/png,',
    '//a',
    'x',
  ]) {
    expect(addressOf(address)).toBeNull();
  }
});

test('the last reasons are offered once each, also after wrong stored data', () => {
  expect(withReason(['a', 'b', 'c', 'd', 'e'], ' c ')).toEqual(['c', 'a', 'b', 'd', 'e']);
  for (const kept of [null, '{', '{}', '[1, null]']) expect(readReasons(kept)).toEqual([]);
});

test('numbers over time are counted, thinned and drawn', () => {
  expect(eventsPerMinute([0, 1000, 61_000, 119_000], 120_000, 3)).toEqual([1, 1, 2]);
  expect(percentile([], 0.5)).toBeNull();
  expect(percentile([30, 10, 20, 40], 0.5)).toBe(20);
  expect(thinned([1, 2, 3, 4, 5], 3)).toEqual([1, 3, 5]);
  const line = [
    { at: 5, value: 0 },
    { at: 6, value: 10 },
  ];
  expect(linePaths([line], 100, 12)).toEqual([
    { line: 'M0.0 12.0L100.0 2.0', area: 'M0.0 12.0L100.0 2.0V12H0.0Z' },
  ]);
  expect(linePaths([], 100, 12)).toEqual([]);
});

const sample = (seconds: number, user = 1) => ({ time: seconds * 1000, byType: { user } });

test('no line is drawn over times without samples', () => {
  const samples = [sample(0), sample(5), sample(100, 3), sample(105)];
  const lines = linesOf(samples, 120, (byType) => byType['user'] ?? 0);
  expect(lines.map((points) => points.map(({ at, value }) => [at, value]))).toEqual([
    [
      [0, 1],
      [5000, 1],
    ],
    [
      [100_000, 3],
      [105_000, 1],
    ],
  ]);
  const [first, second] = linePaths(lines, 105, 12);
  expect(first?.line).toMatch(/^M0.0 .*L5.0 /);
  expect(second?.area).toMatch(/^M100.0 .*L105.0 .*V12H100.0Z$/);
});

test('stored samples are read, but no old ones and no other data', () => {
  const kept = [sample(1), sample(10_000), { time: 'x' }, null, sample(20_000)];
  expect(readSamples(JSON.stringify(kept), 12_000_000)).toEqual([sample(10_000)]);
  for (const text of [null, '{', '{}', '"x"']) expect(readSamples(text, 0)).toEqual([]);
});
