import { expect, test } from 'vitest';
import {
  emptyListing,
  findRow,
  outcomeOf,
  reloaded,
  withChangeSeen,
  withOutcome,
  withPage,
  withProblem,
  withProduct,
} from '../src/state/listing';
import { product } from './products';

const ids = (listing: ReturnType<typeof emptyListing>) =>
  listing.rows.map((row) => row.product.product_id);
const queue = withPage(emptyListing('oldest first'), [product(1), product(2), product(4)], null);

test('a page that overlaps with the one before adds no row twice', () => {
  expect(ids(withPage(queue, [product(4), product(5)], null))).toEqual([1, 2, 4, 5]);
});

test('a product takes its place by the time of its submission', () => {
  expect(ids(withProduct(queue, product(3), true))).toEqual([1, 2, 3, 4]);
  const newest = withPage(emptyListing('newest first'), [product(4), product(2)], null);
  expect(ids(withProduct(newest, product(3), true))).toEqual([4, 3, 2]);
});

test('a product behind the last read page is left out until its page is read', () => {
  const begun = { ...queue, cursor: 'next' };
  expect(withProduct(begun, product(5), true)).toBe(begun);
  expect(ids(withProduct(begun, product(3), true))).toEqual([1, 2, 3, 4]);
});

test('an edited product keeps its place and what was seen before the first edit', () => {
  const once = withProduct(queue, product(2, { version: 2, price: 5 }), true);
  const twice = withProduct(once, product(2, { version: 3, price: 6 }), true);
  expect(ids(twice)).toEqual([1, 2, 4]);
  expect(findRow(twice, 2)?.before).toEqual(product(2));
  const seen = withChangeSeen(twice, 2);
  const later = withProduct(seen, product(2, { version: 4, price: 7 }), true);
  expect(findRow(later, 2)?.before?.price).toBe(6);
});

test('an edit that is undone is not a change', () => {
  const edited = withProduct(queue, product(2, { version: 2, price: 5 }), true);
  const back = withProduct(edited, product(2, { version: 3 }), true);
  expect(findRow(back, 2)?.before).toBeNull();
});

test('an older answer changes nothing, in lists and in single reads', () => {
  const edited = withProduct(queue, product(2, { version: 3, price: 5 }), true);
  expect(withProduct(edited, product(2, { version: 2 }), true)).toBe(edited);
  expect(findRow(withPage(edited, [product(2)], null), 2)?.product.price).toBe(5);
});

test('a decided product has who decided, and no earlier error', () => {
  const decision = {
    moderation_status: 'approved' as const,
    moderation_notes: '',
    admin_id: 7,
    status_changed_at: product(1).status_changed_at,
    version: 2,
  };
  const approved = product(1, {
    version: 2,
    moderation_status: 'approved',
    decisions: [decision],
  });
  const row = findRow(withProduct(withProblem(queue, 1, 'busy'), approved, false), 1);
  expect(row?.outcome).toEqual({ status: 'approved', adminId: 7 });
  expect(row?.problem).toBeNull();
  expect(outcomeOf(product(1, { decisions: [decision] })).adminId).toBeNull();
});

test('a list that is read again replaces all rows, but keeps unseen changes', () => {
  const edited = withProduct(queue, product(2, { version: 2, price: 5 }), true);
  const decided = withOutcome(edited, 4, { status: 'rejected', adminId: 1 });
  const again = reloaded(
    decided,
    [product(2, { version: 2, price: 5 }), product(4, { version: 3 })],
    null,
  );
  expect(ids(again)).toEqual([2, 4]);
  expect(findRow(again, 2)?.before).toEqual(product(2));
  expect(findRow(again, 4)?.outcome).toBeNull();
});
