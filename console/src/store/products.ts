/** A live list of products. */

import type { Http } from '@vitrina/client';
import { batch, computed, signal } from '@preact/signals';
import { codeOf } from '../state/problems';
import {
  emptyListing,
  findRow,
  reloaded,
  withOutcome,
  withPage,
  withProblem,
  withProduct,
  withoutRow,
  type Outcome,
} from '../state/listing';
import type { Product, ProductStatus } from '../state/product';
import { Touches } from '../state/touches';
import type { Live, LiveEvent } from './live';
import { queueSource, statusSource, type Source } from './source';

export interface ListOptions {
  readonly status: ProductStatus;
  readonly shopId: number | null;
  /** Moderators read pending products from their queue, which has a total. */
  readonly isQueue: boolean;
  /** Whether the row of a decided product stays for now. */
  keeps?(id: number): boolean;
  /** Somebody else decided about a row that is shown. */
  onDecided?(product: Product, outcome: Outcome): void;
}

const PAGE = 100;
const MAX_PAGES = 100;
/** How long the row of a decided product shows the decision. */
const LEAVING_MS = 400;
const TOTAL_DELAY_MS = 1500;
const MAX_READS = 4;

const STATUS_AFTER: Partial<Record<string, ProductStatus>> = {
  'product.submitted': 'pending',
  'product.approved': 'approved',
  'product.rejected': 'rejected',
  'product.withdrawn': 'withdrawn',
};

export class ProductList {
  readonly listing;
  readonly isLoading = signal(false);
  readonly failure = signal<unknown>(null);
  readonly isLoaded = signal(false);
  readonly total;
  readonly #counted = signal<number | null>(null);
  readonly #stop: (() => void)[];
  readonly #source: Source;
  readonly #touches = new Touches();
  readonly #wanted = new Set<number>();
  #reads = 0;
  #generation = 0;
  #countTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly http: Http,
    live: Live,
    readonly options: ListOptions,
  ) {
    const { isQueue, status, shopId } = options;
    this.#source = isQueue ? queueSource(http, shopId) : statusSource(http, status, shopId);
    this.listing = signal(emptyListing(status === 'pending' ? 'oldest first' : 'newest first'));
    this.total = computed(() => {
      const { rows, cursor } = this.listing.value;
      if (this.isLoaded.value && cursor === null) return rows.filter((row) => !row.outcome).length;
      return this.#counted.value;
    });
    this.#stop = [
      live.on((event) => this.#follow(event)),
      live.client.onRefetch(() => void this.load()),
      live.onceOnline(() => void this.load()),
    ];
  }

  stop(): void {
    this.#generation++;
    clearTimeout(this.#countTimer);
    for (const stop of this.#stop) stop();
  }

  /** Reads as many pages as were read before: the first one at least. */
  async load(): Promise<void> {
    const generation = ++this.#generation;
    const wanted = Math.max(1, this.listing.peek().rows.length);
    const startedAt = Date.now();
    const products: Product[] = [];
    let cursor: string | null = null;
    this.isLoading.value = true;
    try {
      do {
        const page = await this.#source(cursor, PAGE);
        if (generation !== this.#generation) return;
        products.push(...page.items);
        cursor = page.cursor;
        this.#counted.value = page.total;
      } while (cursor && products.length < wanted && products.length < PAGE * MAX_PAGES);
      batch(() => {
        const sure = this.#sure(products, startedAt);
        const isNewer = (id: number) => this.#touches.isNewer(id, startedAt);
        this.listing.value = reloaded(this.listing.peek(), sure, cursor, isNewer);
        this.isLoaded.value = true;
        this.failure.value = null;
      });
    } catch (error) {
      if (generation === this.#generation) this.failure.value = error;
    } finally {
      if (generation === this.#generation) this.isLoading.value = false;
    }
  }

  /** Reads the next page, if there is one. */
  async more(): Promise<void> {
    const { cursor } = this.listing.peek();
    if (!cursor || this.isLoading.peek()) return;
    const generation = this.#generation;
    const startedAt = Date.now();
    this.isLoading.value = true;
    try {
      const page = await this.#source(cursor, PAGE);
      if (generation !== this.#generation) return;
      this.#counted.value = page.total;
      const sure = this.#sure(page.items, startedAt);
      this.listing.value = withPage(this.listing.peek(), sure, page.cursor);
      this.failure.value = null;
    } catch (error) {
      this.failure.value = error;
    } finally {
      if (generation === this.#generation) this.isLoading.value = false;
    }
  }

  /** Updates the list with a product from an answer. */
  put(product: Product): void {
    const belongs = this.#belongs(product);
    this.#touches.note(product.product_id);
    this.listing.value = withProduct(this.listing.peek(), product, belongs);
    if (!belongs) setTimeout(() => this.sweep(), LEAVING_MS);
  }

  /** Shows for a moment how a product was decided, and then removes the row. */
  decide(id: number, outcome: Outcome): void {
    this.#touches.note(id);
    this.listing.value = withOutcome(this.listing.peek(), id, outcome);
    setTimeout(() => this.sweep(), LEAVING_MS);
  }

  /** Removes the rows of decided products that need not stay. */
  sweep(): void {
    let isEarly = false;
    for (const { product, outcome } of this.listing.peek().rows) {
      const id = product.product_id;
      if (!outcome || this.options.keeps?.(id)) continue;
      if (this.#touches.isRecent(id, LEAVING_MS)) isEarly = true;
      else this.listing.value = withoutRow(this.listing.peek(), id);
    }
    // An event has come since, or the timer was a moment early.
    if (isEarly) setTimeout(() => this.sweep(), LEAVING_MS / 4);
  }

  refuse(id: number, code: string): void {
    this.listing.value = withProblem(this.listing.peek(), id, code);
  }

  /** Reads a single product, again if an event came meanwhile. Resolves to it, or to null. */
  async refresh(id: number): Promise<Product | null> {
    for (;;) {
      const stamp = this.#touches.stamp(id);
      let found: Product | null = null;
      try {
        const path = { product_id: id };
        found = (await this.http.get('/api/v1/products/{product_id}', { path })).data;
      } catch (error) {
        if (codeOf(error) !== 'product_not_found') throw error;
      }
      if (stamp !== this.#touches.stamp(id)) continue;
      if (found) this.put(found);
      else if (findRow(this.listing.peek(), id)) this.decide(id, { status: 'gone', adminId: null });
      return found;
    }
  }

  #follow(event: LiveEvent): void {
    const status = STATUS_AFTER[event.event];
    if (!status || !('product_id' in event.data)) return;
    const { product_id: id, shop_id: shopId } = event.data;
    if (this.options.shopId !== null && shopId !== this.options.shopId) return;
    this.#touches.note(id);
    const row = findRow(this.listing.peek(), id);
    if (status === this.options.status) {
      this.#want(id);
      if (!row) this.#count(1);
    } else if (row && !row.outcome) {
      const outcome = { status, adminId: 'admin_id' in event.data ? event.data.admin_id : null };
      this.options.onDecided?.(row.product, outcome);
      this.decide(id, outcome);
      this.#count(-1);
    } else {
      this.#count(this.options.isQueue && !row ? -1 : 0);
    }
  }

  #belongs(product: Product): boolean {
    const { status, shopId } = this.options;
    return product.moderation_status === status && (shopId === null || shopId === product.shop_id);
  }

  /** Leaves out products with newer events, and reads these products one by one. */
  #sure(products: readonly Product[], startedAt: number): Product[] {
    return products.filter(({ product_id: id }) => {
      const isNewer = this.#touches.isNewer(id, startedAt);
      if (isNewer) this.#want(id);
      return !isNewer;
    });
  }

  /** Reads products one after another, a few at a time. */
  #want(id: number): void {
    this.#wanted.add(id);
    if (this.#reads < MAX_READS) void this.#readWanted();
  }

  async #readWanted(): Promise<void> {
    this.#reads++;
    for (const id of this.#wanted) {
      this.#wanted.delete(id);
      await this.refresh(id).catch((error: unknown) => (this.failure.value = error));
    }
    this.#reads--;
  }

  /** Updates the total with events, and requests the exact number a little later. */
  #count(difference: number): void {
    const counted = this.#counted.peek();
    if (!this.options.isQueue || counted === null) return;
    this.#counted.value = Math.max(0, counted + difference);
    clearTimeout(this.#countTimer);
    this.#countTimer = setTimeout(() => void this.#countAgain(), TOTAL_DELAY_MS);
  }

  async #countAgain(): Promise<void> {
    const total = await this.#source(null, 1).then(
      (page) => page.total,
      () => null,
    );
    if (total !== null) this.#counted.value = total;
  }
}
