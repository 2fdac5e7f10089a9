/** Actions of a moderator: look at products, select some, and decide. */

import type { Http } from '@vitrina/client';
import { signal } from '@preact/signals';
import { findRow, type Outcome } from '../state/listing';
import { codeOf, OUTDATED } from '../state/problems';
import type { Product, ProductStatus } from '../state/product';
import { withDraft, withReason, type Drafts } from '../state/reasons';
import { requestsFor, toggled, without, withSelected, type Selection } from '../state/selection';
import { Attention } from './attention';
import type { Live } from './live';
import { ProductList } from './products';

export type Action = 'approve' | 'reject' | 'withdraw';

/** The messages of the page. */
export interface Reporter {
  decided(product: Product, action: Action): void;
  decidedByOthers(product: Product, outcome: Outcome): void;
  decidedTogether(action: Action, done: number, failed: number): void;
  refused(error: unknown, product: Product | null): void;
}

export class Moderation {
  readonly list;
  readonly attention;
  readonly selection = signal<Selection>(new Map());
  readonly drafts = signal<Drafts>(new Map());
  readonly busy = signal<ReadonlySet<number>>(new Set());
  readonly isDecidingTogether = signal(false);

  constructor(
    readonly http: Http,
    readonly live: Live,
    readonly report: Reporter,
    readonly reasons: { value: readonly string[] },
    readonly adminId: number,
    status: ProductStatus,
    shopId: number | null,
  ) {
    this.list = new ProductList(http, live, {
      status,
      shopId,
      isQueue: status === 'pending',
      keeps: (id) => this.selection.peek().has(id),
      onDecided: (product, outcome) => {
        if (!this.busy.peek().has(product.product_id)) report.decidedByOthers(product, outcome);
      },
    });
    this.attention = new Attention(this.list, (error) => report.refused(error, null));
  }

  stop(): void {
    this.list.stop();
    this.attention.stop();
  }

  toggle(id: number): void {
    const row = findRow(this.list.listing.peek(), id);
    if (!row && !this.selection.peek().has(id)) return;
    this.selection.value = row
      ? toggled(this.selection.peek(), row.product)
      : without(this.selection.peek(), id);
    this.list.sweep();
  }

  /** Selects the rows from the last one that was selected to this one. */
  selectTo(id: number): void {
    const { rows } = this.list.listing.peek();
    const last = [...this.selection.peek().keys()].at(-1);
    const ends = [last, id].map((each) => rows.findIndex((row) => row.product.product_id === each));
    const [from, to] = [Math.min(...ends), Math.max(...ends)];
    if (from < 0) {
      this.toggle(id);
      return;
    }
    const between = rows.slice(from, to + 1).filter((row) => !row.outcome);
    this.selection.value = withSelected(
      this.selection.peek(),
      between.map((row) => row.product),
    );
  }

  selectAll(): void {
    const open = this.list.listing.peek().rows.filter((row) => !row.outcome);
    this.selection.value = withSelected(
      new Map(),
      open.map((row) => row.product),
    );
  }

  clearSelection(): void {
    this.selection.value = new Map();
    this.list.sweep();
  }

  write(id: number, text: string): void {
    this.drafts.value = withDraft(this.drafts.peek(), id, text);
  }

  /** Decides about the version that is shown, and shows the next product. */
  async decide(action: Action): Promise<void> {
    const row = this.attention.row.peek();
    if (!row || row.outcome || this.attention.isReading.peek()) return;
    const { product } = row;
    const id = product.product_id;
    if (this.busy.peek().has(id)) return;
    const notes = (this.drafts.peek().get(id) ?? '').trim();
    this.#setBusy([id], true);
    try {
      const startedAt = performance.now();
      const { data } = await this.http.post(`/api/v1/admin/products/{product_id}/${action}`, {
        path: { product_id: id },
        ifMatch: product.version,
        body: { moderation_notes: notes },
      });
      this.live.measure(data.broadcast.event_ids, startedAt);
      if (action !== 'approve') this.#remember(notes);
      this.write(id, '');
      this.selection.value = without(this.selection.peek(), id);
      this.list.put(data.product);
      this.report.decided(product, action);
      this.attention.writing.value = null;
      this.#leave(id);
    } catch (error) {
      await this.#learn(id, error);
      this.report.refused(error, this.attention.row.peek()?.product ?? product);
    } finally {
      this.#setBusy([id], false);
    }
  }

  /** Decides about all selected products, with the versions that were selected. */
  async decideTogether(action: 'approve' | 'reject', notes: string): Promise<void> {
    if (this.isDecidingTogether.peek()) return;
    this.isDecidingTogether.value = true;
    const ids = [...this.selection.peek().keys()];
    this.#setBusy(ids, true);
    let [done, failed] = [0, 0];
    try {
      for (const products of requestsFor(this.selection.peek(), this.list.listing.peek())) {
        const startedAt = performance.now();
        const { data } = await this.http.post(`/api/v1/admin/products/bulk-${action}`, {
          body: { moderation_notes: notes.trim(), products },
        });
        this.live.measure(data.broadcast.event_ids, startedAt);
        for (const { product_id: id, result } of data.results) {
          if (result === 'approved' || result === 'rejected') done += this.#take(id, result);
          else failed += this.#refuse(id, result);
        }
      }
      if (action === 'reject' && done > 0) this.#remember(notes);
      const shown = this.attention.row.peek();
      if (shown?.outcome && !shown.problem) this.#leave(shown.product.product_id);
      this.report.decidedTogether(action, done, failed);
    } catch (error) {
      this.report.refused(error, null);
    } finally {
      this.isDecidingTogether.value = false;
      this.#setBusy(ids, false);
    }
  }

  /** Shows the next product, or the previous one after the last. */
  #leave(id: number): void {
    if (this.attention.id.peek() === id && !this.attention.step(1)) this.attention.step(-1);
  }

  #take(id: number, status: ProductStatus): 1 {
    this.selection.value = without(this.selection.peek(), id);
    this.list.decide(id, { status, adminId: this.adminId });
    return 1;
  }

  /** Products whose decision failed stay selected, with the version that is read again. */
  #refuse(id: number, code: string): 1 {
    this.list.refuse(id, code);
    if (OUTDATED.has(code)) void this.#readAgain(id, code);
    return 1;
  }

  async #readAgain(id: number, code: string): Promise<void> {
    const product = await this.list.refresh(id).catch(() => null);
    this.list.refuse(id, code);
    if (product && this.selection.peek().has(id)) {
      this.selection.value = withSelected(this.selection.peek(), [product]);
    }
  }

  async #learn(id: number, error: unknown): Promise<void> {
    const code = codeOf(error);
    if (OUTDATED.has(code)) await this.attention.check();
    else this.list.refuse(id, code);
  }

  #remember(reason: string): void {
    if (reason.trim()) this.reasons.value = withReason(this.reasons.value, reason);
  }

  #setBusy(ids: readonly number[], isBusy: boolean): void {
    const next = new Set(this.busy.peek());
    for (const id of ids) {
      if (isBusy) next.add(id);
      else next.delete(id);
    }
    this.busy.value = next;
  }
}
