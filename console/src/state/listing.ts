/** A list of products, read page by page and updated by answers and events. */

import { changedFields, latestDecision, type Product, type ProductStatus } from './product';

/** The reason for which a product leaves the list. The moderator may be unknown. */
export interface Outcome {
  readonly status: ProductStatus | 'gone';
  readonly adminId: number | null;
}

export interface Row {
  readonly product: Product;
  /** The product as shown before the shop changed it. */
  readonly before: Product | null;
  /** Set if the row is about to leave, with the reason. */
  readonly outcome: Outcome | null;
  /** The code of the refusal of a decision about the product. */
  readonly problem: string | null;
}

export interface Listing {
  readonly rows: readonly Row[];
  /** Of the next page; null after the last one. */
  readonly cursor: string | null;
  readonly order: 'oldest first' | 'newest first';
}

export function emptyListing(order: Listing['order']): Listing {
  return { rows: [], cursor: null, order };
}

export function newRow(product: Product): Row {
  return { product, before: null, outcome: null, problem: null };
}

export function findRow(listing: Listing, id: number): Row | null {
  return listing.rows.find((row) => row.product.product_id === id) ?? null;
}

/** Adds a page. Products that are in the list already keep their place. */
export function withPage(listing: Listing, products: Product[], cursor: string | null): Listing {
  const known = new Map(listing.rows.map((row, index) => [row.product.product_id, index]));
  const rows = [...listing.rows];
  for (const product of products) {
    const index = known.get(product.product_id);
    const row = index === undefined ? undefined : rows[index];
    if (index === undefined || !row) rows.push(newRow(product));
    else rows[index] = renewed(row, product);
  }
  return { ...listing, rows, cursor };
}

/**
 * Replaces the list with new pages, and keeps changes that the moderator has not seen yet.
 *
 * Rows with newer data than the pages stay unchanged.
 */
export function reloaded(
  listing: Listing,
  products: Product[],
  cursor: string | null,
  isNewer: (id: number) => boolean = () => false,
): Listing {
  const known = new Map(listing.rows.map((row) => [row.product.product_id, row]));
  const rows = products.map((product) => {
    const row = known.get(product.product_id);
    return row && !row.outcome ? renewed(row, product) : newRow(product);
  });
  const read = new Set(products.map((product) => product.product_id));
  return listing.rows
    .filter(({ product: { product_id: id } }) => isNewer(id) && !read.has(id))
    .reduce(inserted, { ...listing, rows, cursor });
}

/**
 * Updates the list with a single product, which may or may not belong to the list.
 *
 * A new product is added if its place is among the rows that were read; otherwise a later page has it.
 */
export function withProduct(listing: Listing, product: Product, belongs: boolean): Listing {
  const found = findRow(listing, product.product_id);
  if (!found) return belongs ? inserted(listing, newRow(product)) : listing;
  if (product.version < found.product.version) return listing;
  const decided = { product, outcome: outcomeOf(product), problem: null };
  return replaced(listing, product.product_id, (row) =>
    belongs ? renewed(row, product) : { ...row, ...decided },
  );
}

export function withOutcome(listing: Listing, id: number, outcome: Outcome): Listing {
  return replaced(listing, id, (row) => ({ ...row, outcome, problem: null }));
}

export function withProblem(listing: Listing, id: number, problem: string | null): Listing {
  return replaced(listing, id, (row) => ({ ...row, problem }));
}

/** Marks a change as seen, so that the next change is compared with this version. */
export function withChangeSeen(listing: Listing, id: number): Listing {
  return findRow(listing, id)?.before
    ? replaced(listing, id, (row) => ({ ...row, before: null }))
    : listing;
}

export function withoutRow(listing: Listing, id: number): Listing {
  const rows = listing.rows.filter((row) => row.product.product_id !== id);
  return rows.length === listing.rows.length ? listing : { ...listing, rows };
}

export function outcomeOf(product: Product): Outcome {
  const decision = latestDecision(product);
  const isOfDecision = decision?.moderation_status === product.moderation_status;
  return { status: product.moderation_status, adminId: isOfDecision ? decision.admin_id : null };
}

function renewed(row: Row, product: Product): Row {
  if (product.version < row.product.version) return row;
  const base = row.before ?? row.product;
  const before = changedFields(base, product).length > 0 ? base : null;
  return { product, before, outcome: null, problem: row.problem };
}

function replaced(listing: Listing, id: number, change: (row: Row) => Row): Listing {
  const index = listing.rows.findIndex((row) => row.product.product_id === id);
  const row = listing.rows[index];
  return row ? { ...listing, rows: listing.rows.with(index, change(row)) } : listing;
}

function inserted(listing: Listing, row: Row): Listing {
  const isBehind = (other: Row) => compare(listing, other.product, row.product) <= 0;
  const index = listing.rows.findLastIndex(isBehind) + 1;
  if (index === listing.rows.length && listing.cursor !== null) return listing;
  return { ...listing, rows: listing.rows.toSpliced(index, 0, row) };
}

function compare({ order }: Listing, a: Product, b: Product): number {
  const time = Date.parse(a.status_changed_at) - Date.parse(b.status_changed_at);
  const difference = time || a.product_id - b.product_id;
  return order === 'oldest first' ? difference : -difference;
}
