/** The product that a moderator looks at. It stays on the page when its row has left. */

import { computed, effect, signal } from '@preact/signals';
import { findRow, newRow, outcomeOf, withChangeSeen, type Row } from '../state/listing';
import type { ProductList } from './products';

/** A change that has just appeared has to be read before it is decided. */
const READING_MS = 700;

export class Attention {
  readonly id = signal<number | null>(null);
  /** The decision whose reason is being written. */
  readonly writing = signal<'reject' | 'withdraw' | null>(null);
  /** True for a moment after the shop has changed the product that is shown. */
  readonly isReading = signal(false);
  readonly #kept = signal<Row | null>(null);
  /** The index of the product's row, now or before it left. */
  #index = 0;
  #isListed = false;
  readonly stop: () => void;

  readonly row = computed(() =>
    this.#kept.value?.product.product_id === this.id.value ? this.#kept.value : null,
  );

  constructor(
    readonly list: ProductList,
    readonly onFailure: (error: unknown) => void,
  ) {
    this.stop = effect(() => this.#follow());
  }

  /** Shows a product. Changes of the previous product count as seen. */
  open(id: number | null): void {
    const { listing } = this.list;
    const before = this.id.peek();
    if (before !== null && before !== id) listing.value = withChangeSeen(listing.peek(), before);
    if (before !== id) this.writing.value = null;
    this.isReading.value = false;
    this.#isListed = false;
    this.id.value = id;
    // Lists of approved products do not have their decisions.
    const isComplete = this.list.options.isQueue && findRow(listing.peek(), id ?? 0);
    if (id !== null && !isComplete) void this.check();
  }

  /** Shows the next undecided product, or the previous one; returns whether there is one. */
  step(by: 1 | -1): boolean {
    const { rows } = this.list.listing.peek();
    let next = this.#isListed ? this.#index + by : this.#index + (by > 0 ? 0 : -1);
    if (this.id.peek() === null) next = 0;
    while (rows[next]?.outcome) next += by;
    const row = rows[next];
    if (row) this.open(row.product.product_id);
    return row !== undefined;
  }

  /** Reads the single product, because its row may have left, or may not be in the list. */
  async check(): Promise<void> {
    const id = this.id.peek();
    if (id === null) return;
    const product = await this.list.refresh(id).catch(this.onFailure);
    if (!product || this.id.peek() !== id) return;
    const kept = this.row.peek();
    if (kept && kept.product.version >= product.version) return;
    const isOpen = product.moderation_status === this.list.options.status;
    const row = kept ? { ...kept, product } : newRow(product);
    this.#kept.value = { ...row, outcome: isOpen ? null : outcomeOf(product) };
  }

  #follow(): void {
    const id = this.id.value;
    const { rows } = this.list.listing.value;
    const index = rows.findIndex((row) => row.product.product_id === id);
    const row = rows[index];
    const before = this.#kept.peek();
    const wasListed = this.#isListed;
    this.#isListed = row !== undefined;
    if (!row) {
      // The row left, and no event said how the product was decided.
      if (wasListed && !before?.outcome) void this.check();
      return;
    }
    this.#index = index;
    this.#kept.value = row;
    if (before?.product.product_id !== id || before.product.version === row.product.version) return;
    this.isReading.value = true;
    setTimeout(() => (this.isReading.value = false), READING_MS);
  }
}
