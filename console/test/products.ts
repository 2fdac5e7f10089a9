/** Products as the server sends them, submitted a minute after each other. */

import type { Product } from '../src/state/product';

const FIRST = Date.UTC(2026, 0, 1);

export function product(id: number, fields: Partial<Product> = {}): Product {
  return {
    product_id: id,
    product_name: `Product ${id}`,
    shop_id: 10,
    shop_name: 'Fashion Store',
    price: 100,
    moderation_status: 'pending',
    status_changed_at: new Date(FIRST + id * 60_000).toISOString(),
    version: 1,
    decisions: [],
    ...fields,
  };
}
