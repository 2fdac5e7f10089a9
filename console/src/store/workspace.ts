/** What a logged-in account works with. */

import type { Account, Client, components, Http } from '@vitrina/client';
import { computed, signal } from '@preact/signals';
import { codeOf, retryAfterOf } from '../state/problems';
import type { Outcome } from '../state/listing';
import { withSample, type Sample } from '../state/numbers';
import type { Product, ProductStatus } from '../state/product';
import { Announcing } from './announcing';
import { Live } from './live';
import { Moderation, type Action, type Reporter } from './moderation';
import { reasons, texts } from './preferences';
import { Toasts } from './toasts';

export type PlatformSettings = components['schemas']['PlatformSettings'];
export type Stats = components['schemas']['Stats'];

const STATS_INTERVAL_MS = 5000;
const OTHERS_MS = 7000;
const PAST: Record<Action, 'approved' | 'rejected' | 'withdrawn'> = {
  approve: 'approved',
  reject: 'rejected',
  withdraw: 'withdrawn',
};

export class Workspace implements Reporter {
  readonly live;
  readonly toasts = new Toasts();
  readonly settings = signal<PlatformSettings | null>(null);
  readonly stats = signal<Stats | null>(null);
  readonly samples = signal<readonly Sample[]>([]);
  readonly rooms = signal<readonly string[]>([]);
  readonly announcing;
  readonly isAdmin;
  /** Aborted when the account logs out. */
  readonly left = new AbortController();
  readonly queue = signal<Moderation | null>(null);
  readonly queueLength = computed(() => this.queue.value?.list.total.value ?? null);
  readonly #timer;
  #others = 0;
  #othersAt = 0;

  constructor(
    client: Client,
    readonly http: Http,
    readonly account: Account,
  ) {
    this.live = new Live(client);
    this.announcing = new Announcing(http, account.id);
    this.isAdmin = account.client_type === 'admin';
    this.#timer = setInterval(() => void this.#readStats(), STATS_INTERVAL_MS);
    if (!this.isAdmin) return;
    void this.#readStats();
    void this.readSettings();
    this.live.onceOnline(() => void this.readSettings());
    this.filterQueue(null);
    this.live.on((event) => {
      if (event.event === 'settings.updated') void this.readSettings();
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.left.abort();
    this.announcing.stop();
    this.queue.peek()?.stop();
  }

  moderation(status: ProductStatus, shopId: number | null): Moderation {
    const { live, http, account } = this;
    return new Moderation(http, live, this, reasons, account.id, status, shopId);
  }

  /** Shows the queue of one shop, or of all. What is typed stays. */
  filterQueue(shopId: number | null): void {
    const before = this.queue.peek();
    const queue = this.moderation('pending', shopId);
    if (before) queue.drafts.value = before.drafts.peek();
    before?.stop();
    this.queue.value = queue;
    void queue.list.load();
  }

  /** Joins a room on each connection; resolves to whether that was accepted. */
  async joinRoom(name: string): Promise<boolean> {
    try {
      await this.live.client.room(name).join();
      this.rooms.value = [...new Set([...this.rooms.peek(), name])];
      return true;
    } catch (error) {
      this.refused(error);
      return false;
    }
  }

  leaveRoom(name: string): void {
    this.rooms.value = this.rooms.peek().filter((each) => each !== name);
    void this.live.client.room(name).leave();
  }

  async readSettings(): Promise<void> {
    const found = await this.http.get('/api/v1/admin/settings').catch(() => null);
    if (found) this.settings.value = found.data;
  }

  who(adminId: number | null): number | 'me' | null {
    return this.isAdmin && adminId === this.account.id ? 'me' : adminId;
  }

  decided(product: Product, action: Action): void {
    this.toasts.add('info', texts.peek().toast[PAST[action]], product.product_name, 'own');
  }

  /** Decisions of others that follow each other closely are one message. */
  decidedByOthers(product: Product, { status, adminId }: Outcome): void {
    const { toast } = texts.peek();
    const now = Date.now();
    this.#others = now - this.#othersAt < OTHERS_MS ? this.#others + 1 : 0;
    this.#othersAt = now;
    const text = toast.othersText(product.product_name, status, this.who(adminId));
    const more = this.#others > 0 ? toast.othersMore(this.#others) : '';
    this.toasts.add('info', toast.others, text + more, 'others');
  }

  decidedTogether(action: Action, done: number, failed: number): void {
    const { toast } = texts.peek();
    const title = toast.together(PAST[action], done);
    this.toasts.add(
      failed > 0 ? 'bad' : 'info',
      title,
      failed > 0 ? toast.togetherFailed(failed) : '',
    );
  }

  /** Says what was refused, by its code. A session that has ended is noticed by the client itself. */
  refused(error: unknown, product: Product | null = null): void {
    const { toast, refused, product: words } = texts.peek();
    const code = codeOf(error);
    const name = product?.product_name ?? '';
    if (code === 'product_changed' || code === 'version_missing') {
      this.toasts.add('bad', toast.changedTitle, toast.changedText);
    } else if (code === 'already_moderated' && product) {
      const { status, adminId } = outcomeIn(product);
      this.toasts.add('info', words.already(status, this.who(adminId)), name);
    } else {
      this.toasts.add('bad', name || refused, explain(error));
    }
  }

  async #readStats(): Promise<void> {
    if (document.hidden) return;
    const found = await this.http.get('/ws/stats').catch(() => null);
    if (!found) return;
    this.stats.value = found.data;
    const byType = found.data.by_type;
    this.samples.value = withSample(this.samples.peek(), { time: Date.now(), byType });
  }
}

function outcomeIn(product: Product): Outcome {
  return { status: product.moderation_status, adminId: product.admin_id ?? null };
}

/** Returns a sentence about a failure, by its code. */
export function explain(error: unknown): string {
  const { problems, toast, fault } = texts.peek();
  const code = codeOf(error);
  const detail = error instanceof Error ? error.message : '';
  const sentence = problems[code] ?? `${code} ${detail}`;
  const faults = faultsOf(error).map(({ field, detail: each }) => fault(field, each));
  const retryAfter = retryAfterOf(error);
  const wait = retryAfter === null ? '' : toast.retryAfter(retryAfter);
  return [sentence, ...faults, wait].filter(Boolean).join(' ');
}

function faultsOf(error: unknown): { field: string; detail: string }[] {
  const isList = error instanceof Error && 'errors' in error && Array.isArray(error.errors);
  return isList ? (error.errors as { field: string; detail: string }[]) : [];
}
