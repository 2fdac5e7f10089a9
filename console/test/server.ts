/** A server in memory: products, the decisions about them, and one connection. */

import type { Client, Http } from '@vitrina/client';
import type { Product, ProductStatus } from '../src/state/product';
import type { LiveEvent } from '../src/store/live';
import { product } from './products';

type Listener = (event: LiveEvent) => void;

interface Options {
  readonly path?: { product_id: number };
  readonly query?: { limit: number; cursor?: string };
  readonly ifMatch?: number;
  readonly body?: {
    moderation_notes: string;
    products: { product_id: number; version: number }[];
  };
}

const DECIDED = { approve: 'approved', reject: 'rejected', withdraw: 'withdrawn' } as const;

export class Server {
  readonly products = new Map<number, Product>();
  readonly asked: string[] = [];
  /** Awaited before a route's answer leaves, after it was made. */
  delays: Partial<Record<string, Promise<void>>> = {};
  readonly #listeners = new Set<Listener>();
  readonly #refetches = new Set<(channel: string) => void>();
  #seq = 0;

  constructor(count = 0) {
    for (let id = 1; id <= count; id++) this.products.set(id, product(id));
  }

  readonly http = {
    get: (path: string, options: Options) => this.#answer(path, () => this.#read(path, options)),
    post: (path: string, options: Options) => this.#answer(path, () => this.#decide(path, options)),
  } as unknown as Http;

  readonly client = {
    status: { state: 'online' },
    on: (_name: string, listener: Listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
    onRefetch: (listener: (channel: string) => void) => {
      this.#refetches.add(listener);
      return () => this.#refetches.delete(listener);
    },
    onStatus: () => () => undefined,
    onError: () => () => undefined,
  } as unknown as Client;

  /** An edit or a submission of a shop. */
  submit(id: number, fields: Partial<Product> = {}): void {
    const version = (this.products.get(id)?.version ?? 0) + 1;
    this.products.set(id, product(id, { ...fields, version }));
    this.tell('product.submitted', id);
  }

  /** A decision of another moderator; no event is sent if the connection is lost. */
  decide(id: number, status: 'approved' | 'rejected' | 'withdrawn', isTold = true): void {
    this.#change(id, status, 7, '');
    if (isTold) this.tell(`product.${status}`, id, { admin_id: 7 });
  }

  tell(event: string, id: number, more = {}): void {
    this.#seq += 1;
    const data = { product_id: id, shop_id: 10, ...more };
    const sent = { event, id: `e${this.#seq}`, channel: 'admin', seq: this.#seq, data };
    for (const listener of this.#listeners) listener(sent as unknown as LiveEvent);
  }

  refetch(): void {
    for (const listener of this.#refetches) listener('admin');
  }

  async #answer(path: string, work: () => object) {
    this.asked.push(path);
    await Promise.resolve();
    const data = structuredClone(work());
    await this.delays[path];
    return { status: 200, data, etag: null };
  }

  #read(path: string, { path: { product_id: id } = { product_id: 0 }, query }: Options): object {
    if (path === '/api/v1/products/{product_id}') return this.#find(id);
    const pending = [...this.products.values()].filter(
      (each) => each.moderation_status === 'pending',
    );
    const from = Number(query?.cursor ?? 0);
    const to = from + (query?.limit ?? 0);
    const cursor = to < pending.length ? String(to) : null;
    return { items: pending.slice(from, to), cursor, total: pending.length };
  }

  #decide(path: string, { path: place, ifMatch, body }: Options): object {
    const [, bulk, action = 'approve'] = /(bulk-)?(approve|reject|withdraw)$/.exec(path) ?? [];
    const status = DECIDED[action as keyof typeof DECIDED];
    const broadcast = { event_ids: [] };
    if (!bulk) {
      const id = place?.product_id ?? 0;
      const refusal = this.#refusal(id, ifMatch);
      if (refusal) throw refused(refusal);
      return { product: this.#change(id, status, 1, body?.moderation_notes ?? ''), broadcast };
    }
    const results = (body?.products ?? []).map(({ product_id, version }) => {
      const refusal = this.#refusal(product_id, version);
      if (!refusal) this.#change(product_id, status, 1, '');
      return { product_id, result: refusal ?? status };
    });
    return { results, broadcast };
  }

  #refusal(id: number, version: number | undefined): string | null {
    const found = this.#find(id);
    if (found.moderation_status !== 'pending') return 'already_moderated';
    return found.version === version ? null : 'product_changed';
  }

  #change(id: number, status: Exclude<ProductStatus, 'pending'>, adminId: number, notes: string) {
    const before = this.#find(id);
    const version = before.version + 1;
    const decision = {
      moderation_status: status,
      moderation_notes: notes,
      admin_id: adminId,
      status_changed_at: before.status_changed_at,
      version,
    };
    const decisions = [...(before.decisions ?? []), decision];
    const after = { ...before, moderation_status: status, version, admin_id: adminId, decisions };
    this.products.set(id, after);
    return after;
  }

  #find(id: number): Product {
    const found = this.products.get(id);
    if (!found) throw refused('product_not_found');
    return found;
  }
}

function refused(code: string): Error {
  return Object.assign(new Error(code), { code });
}
