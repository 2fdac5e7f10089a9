/** The source of a list of products: the moderators' queue, which has a total, or a status. */

import type { Http } from '@vitrina/client';
import type { Product, ProductStatus } from '../state/product';

export interface Page {
  readonly items: Product[];
  readonly cursor: string | null;
  /** The number of products on all pages; null if unknown. */
  readonly total: number | null;
}

export type Source = (cursor: string | null, limit: number) => Promise<Page>;

export function queueSource(http: Http, shopId: number | null): Source {
  return async (cursor, limit) => {
    const query = queryOf(cursor, limit, shopId);
    const { data } = await http.get('/api/v1/admin/moderation/queue', { query });
    return { items: data.items, cursor: data.cursor ?? null, total: data.total };
  };
}

export function statusSource(http: Http, status: ProductStatus, shopId: number | null): Source {
  return async (cursor, limit) => {
    const query = { status, ...queryOf(cursor, limit, shopId) };
    const { data } = await http.get('/api/v1/products', { query });
    return { items: data.items, cursor: data.cursor ?? null, total: null };
  };
}

function queryOf(cursor: string | null, limit: number, shopId: number | null) {
  return {
    limit,
    ...(cursor === null ? {} : { cursor }),
    ...(shopId === null ? {} : { shop_id: shopId }),
  };
}
