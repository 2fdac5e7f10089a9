/** A shop's products by status, with the reasons of rejections, and the form to submit. */

import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useMemo } from 'preact/hooks';
import { useWorkspace } from '../parts/context';
import { AsOf } from '../parts/indicator';
import { Picture } from '../parts/picture';
import { Age, Money, Text } from '../parts/text';
import { VirtualList } from '../parts/virtual_list';
import { latestDecision, type Product, type ProductStatus } from '../state/product';
import type { Row } from '../state/listing';
import { texts } from '../store/preferences';
import { ProductList } from '../store/products';
import { ProductForm } from './product_form';

const STATUSES: readonly ProductStatus[] = ['pending', 'approved', 'rejected', 'withdrawn'];
const ROW_HEIGHT = 72;

export function Shop() {
  const workspace = useWorkspace();
  const { http, live, account } = workspace;
  const { shop: words, product: productWords } = texts.value;
  const status = useSignal<ProductStatus>('pending');
  const editing = useSignal<Product | 'new' | null>(null);
  const shopId = account.shop_id ?? account.id;
  const list = useMemo(
    () => new ProductList(http, live, { status: status.value, shopId, isQueue: false }),
    [http, live, status.value, shopId],
  );
  useEffect(() => {
    void list.load();
    return () => list.stop();
  }, [list]);
  const more = useCallback(() => void list.more(), [list]);
  const { rows } = list.listing.value;
  const submitted = (product: Product) => {
    workspace.toasts.add('info', texts.peek().toast.submitted, product.product_name);
    editing.value = null;
    list.put(product);
    status.value = 'pending';
  };
  return (
    <div class={`split ${editing.value ? 'is-open' : ''}`}>
      <section class="list" aria-label={words.title}>
        <header class="bar">
          <h1>{words.title}</h1>
          <AsOf />
          <button type="button" class="button go" onClick={() => (editing.value = 'new')}>
            {words.submit}
          </button>
        </header>
        <div class="filter" role="group" aria-label={words.title}>
          {STATUSES.map((each) => (
            <button
              key={each}
              type="button"
              class="tab"
              aria-pressed={each === status.value}
              onClick={() => (status.value = each)}
            >
              {productWords.statuses[each]}
            </button>
          ))}
        </div>
        {list.isLoaded.value && rows.length === 0 && <p class="notice">{words.empty}</p>}
        {list.failure.value !== null && !list.isLoaded.value && (
          <div class="notice" role="alert">
            <p>{texts.value.queue.failed}</p>
            <button type="button" class="button" onClick={() => void list.load()}>
              {texts.value.queue.retry}
            </button>
          </div>
        )}
        <VirtualList
          items={rows}
          keyOf={(row) => row.product.product_id}
          rowHeight={ROW_HEIGHT}
          label={words.title}
          onNearEnd={more}
          classOf={(row) => (row.outcome ? `outcome ${row.outcome.status}` : '')}
          draw={(row) => <OwnRow row={row} onOpen={(product) => (editing.value = product)} />}
        />
      </section>
      <section class="detail" aria-label={words.editTitle}>
        {editing.value ? (
          <ProductForm
            key={editing.value === 'new' ? 'new' : editing.value.product_id}
            product={editing.value === 'new' ? null : editing.value}
            list={list}
            onSubmitted={submitted}
            onClose={() => (editing.value = null)}
          />
        ) : (
          <p class="notice">{words.choose}</p>
        )}
      </section>
    </div>
  );
}

function OwnRow({ row, onOpen }: { row: Row; onOpen: (product: Product) => void }) {
  const { product, outcome } = row;
  const words = texts.value.product;
  const why = outcome ? words.outcome(outcome.status, null) : reasonOf(product);
  return (
    <div class="row">
      <button type="button" class="open" onClick={() => onOpen(product)}>
        <Picture product={product} />
        <span class="what">
          <span class="name">
            <Text of={product.product_name} />
          </span>
          <span class="below">{why ? <Text of={why} /> : <Money of={product.price} />}</span>
        </span>
        <span class="when">
          <Age of={product.status_changed_at} style="short" />
        </span>
      </button>
    </div>
  );
}

/** The moderator's note of the latest decision. */
export function reasonOf(product: Product): string {
  const words = texts.value.shop;
  const notes = product.moderation_notes ?? latestDecision(product)?.moderation_notes ?? '';
  if (!notes) return '';
  if (product.moderation_status === 'rejected') return words.why(notes);
  if (product.moderation_status === 'withdrawn') return words.withdrawnWhy(notes);
  return product.moderation_status === 'approved' ? words.approvedWhy(notes) : '';
}
