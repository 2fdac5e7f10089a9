/** The stores of a logged-in account. */

import type { Account, Client, components, Http } from '@vitrina/client';
import { computed, signal } from '@preact/signals';
import { codeOf, retryAfterOf } from '../state/problems';
import type { Outcome } from '../state/listing';
import { readSamples, SAMPLE_MS, withSample, type Sample } from '../state/numbers';
import type { Product, ProductStatus } from '../state/product';
import { Announcing } from './announcing';
import { Feed } from './feed';
import { AN_HOUR, Live } from './live';
import { Moderation, type Action, type Reporter } from './moderation';
import { kept, reasons, texts } from './preferences';
import { Toasts } from './toasts';

export type PlatformSettings = components['schemas']['PlatformSettings'];
export type Stats = components['schemas']['Stats'];

const OTHERS_MS = 7000;
/** Pages of a hundred events each. Of a busier hour only the latest 500 earlier events are counted. */
const MAX_PAST_PAGES = 5;
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
    void this.readSettings();
    this.live.onceOnline(() => void this.readSettings());
    this.live.on((event) => {
      if (event.event === 'settings.updated') void this.readSettings();
    });
    if (!this.isAdmin) return;
    this.#followNumbers();
    this.filterQueue(null);
  }

  stop(): void {
    this.left.abort();
    this.announcing.stop();
    this.queue.peek()?.stop();
  }

  moderation(status: ProductStatus, shopId: number | null): Moderation {
    const { live, http, account } = this;
    return new Moderation(http, live, this, reasons, account.id, status, shopId);
  }

  /** Shows the queue of one shop, or of all. Typed text is kept. */
  filterQueue(shopId: number | null): void {
    const before = this.queue.peek();
    const queue = this.moderation('pending', shopId);
    if (before) queue.drafts.value = before.drafts.peek();
    before?.stop();
    this.queue.value = queue;
    void queue.list.load();
  }

  /** Joins a room on each connection; resolves to whether the join was accepted. */
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
    const found = await this.http.get('/api/v1/settings').catch(() => null);
    if (found) this.settings.value = found.data;
  }

  who(adminId: number | null): number | 'me' | null {
    return this.isAdmin && adminId === this.account.id ? 'me' : adminId;
  }

  decided(product: Product, action: Action): void {
    const status = PAST[action];
    const title = texts.peek().toast[status];
    const href = `#/products/${product.product_id}?status=${status}`;
    this.toasts.add('info', title, product.product_name, { kind: 'own', href });
  }

  /** Decisions of others within a short time are one message. */
  decidedByOthers(product: Product, { status, adminId }: Outcome): void {
    const { toast } = texts.peek();
    const now = Date.now();
    this.#others = now - this.#othersAt < OTHERS_MS ? this.#others + 1 : 0;
    this.#othersAt = now;
    const text = toast.othersText(product.product_name, status, this.who(adminId));
    const more = this.#others > 0 ? toast.othersMore(this.#others) : '';
    this.toasts.add('info', toast.others, text + more, { kind: 'others' });
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

  /** Shows a refusal, by its code. The client itself notices the end of a session. */
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

  /** Continues the stored samples of this tab, and loads the events of the past hour. */
  #followNumbers(): void {
    const place = kept(`samples.${this.account.id}`, 'sessionStorage');
    this.samples.value = readSamples(place.read(), Date.now());
    const timer = setInterval(() => void this.#readStats(), SAMPLE_MS);
    const { signal: left } = this.left;
    addEventListener('pagehide', () => place.write(JSON.stringify(this.samples.peek())), {
      signal: left,
    });
    left.addEventListener('abort', () => {
      clearInterval(timer);
      place.write(null);
    });
    void this.#readStats();
    void this.#readPastEvents();
  }

  async #readPastEvents(): Promise<void> {
    const begin = Date.now();
    const past = new Feed(this.http, this.live, this.account.client_type);
    past.stop();
    await past.load();
    const times = () => past.events.peek().map(({ timestamp }) => Date.parse(timestamp));
    for (let page = 1; page < MAX_PAST_PAGES && past.hasOlder.peek(); page++) {
      if ((times().at(-1) ?? 0) < begin - AN_HOUR) break;
      await past.older();
    }
    this.live.notePast(times().filter((time) => time < begin));
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
