/** The selected products, each with the version that was on the screen when it was selected. */

import type { Listing } from './listing';
import type { Product } from './product';

/** Versions by product. A decision about a product is for this version. */
export type Selection = ReadonlyMap<number, number>;

/** The maximum number of products in a request. */
const MAX_DECIDED_TOGETHER = 100;

export interface SeenProduct {
  readonly product_id: number;
  readonly version: number;
}

export function toggled(selection: Selection, { product_id, version }: Product): Selection {
  const next = new Map(selection);
  if (!next.delete(product_id)) next.set(product_id, version);
  return next;
}

export function withSelected(selection: Selection, products: Iterable<Product>): Selection {
  const added = [...products].map(({ product_id, version }) => [product_id, version] as const);
  return new Map([...selection, ...added]);
}

export function without(selection: Selection, id: number): Selection {
  if (!selection.has(id)) return selection;
  const next = new Map(selection);
  next.delete(id);
  return next;
}

/** Returns the selection in the order of the list, split into requests. */
export function requestsFor(selection: Selection, listing: Listing): SeenProduct[][] {
  const seen = listing.rows
    .filter((row) => selection.has(row.product.product_id))
    .map(({ product: { product_id } }) => ({
      product_id,
      version: selection.get(product_id) ?? 0,
    }));
  const pieces = Math.ceil(seen.length / MAX_DECIDED_TOGETHER);
  return Array.from({ length: pieces }, (_, index) =>
    seen.slice(index * MAX_DECIDED_TOGETHER, (index + 1) * MAX_DECIDED_TOGETHER),
  );
}
