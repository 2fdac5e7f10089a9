/** The form with which a shop submits or edits a product. */

import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { useWorkspace } from '../parts/context';
import { Text } from '../parts/text';
import { codeOf } from '../state/problems';
import type { Product } from '../state/product';
import { texts } from '../store/preferences';
import type { ProductList } from '../store/products';
import { textOf } from './login';
import { reasonOf } from './shop';

interface Props {
  /** Null for a new product. */
  readonly product: Product | null;
  readonly list: ProductList;
  readonly onSubmitted: (product: Product) => void;
  readonly onClose: () => void;
}

export function ProductForm({ product, list, onSubmitted, onClose }: Props) {
  const workspace = useWorkspace();
  const { shop: words, product: names, queue } = texts.value;
  const currency = workspace.settings.value?.currency;
  const isBusy = useSignal(false);
  /** The product that is edited; its version is replaced. */
  const base = useSignal(product);
  const conflict = useSignal<Product | null>(null);
  const key = useMemo(() => crypto.randomUUID(), []);
  useEffect(() => {
    if (product?.moderation_status !== 'approved') return;
    // Lists of approved products do not have the moderators' notes.
    list.refresh(product.product_id).then(
      (found) => (base.value = found?.version === product.version ? found : base.value),
      () => undefined,
    );
  }, [product, list, base]);

  const submit = async (form: HTMLFormElement) => {
    if (isBusy.peek()) return;
    isBusy.value = true;
    const body = submissionIn(new FormData(form));
    const edited = base.peek();
    try {
      const { data } = edited
        ? await workspace.http.put('/api/v1/products/{product_id}', {
            path: { product_id: edited.product_id },
            ifMatch: edited.version,
            body,
          })
        : await workspace.http.post('/api/v1/products', { body, idempotencyKey: key });
      onSubmitted(data);
    } catch (error) {
      workspace.refused(error);
      if (edited && codeOf(error) === 'product_changed') {
        const found = await list.refresh(edited.product_id).catch(() => null);
        conflict.value = found;
        base.value = found;
      }
    } finally {
      isBusy.value = false;
    }
  };

  const why = base.value && reasonOf(base.value);
  return (
    <>
      <button type="button" class="link back" onClick={onClose}>
        ← {queue.back}
      </button>
      <h1>{product ? words.editTitle : words.submit}</h1>
      {why && (
        <p class="note">
          <Text of={why} />
        </p>
      )}
      {conflict.value && <Conflict product={conflict.value} />}
      {base.value?.moderation_status === 'approved' && <p class="meta">{words.editWarning}</p>}
      <form
        class="card fields"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <label>
          {names.product_name}
          <input
            name="product_name"
            required
            maxLength={200}
            defaultValue={product?.product_name ?? ''}
          />
        </label>
        <label>
          {currency ? `${names.price}, ${currency}` : names.price}
          <input
            name="price"
            inputMode="decimal"
            pattern="\d{1,10}([.,]\d{1,2})?"
            defaultValue={product?.price?.toString() ?? ''}
          />
        </label>
        <label>
          {names.description}
          <textarea
            name="description"
            rows={5}
            maxLength={5000}
            defaultValue={product?.description ?? ''}
          />
        </label>
        <label>
          {words.image}
          <input
            name="image_url"
            type="url"
            pattern="https://.+"
            maxLength={2000}
            defaultValue={product?.image_url ?? ''}
          />
        </label>
        <div class="actions">
          <button class="button go" aria-disabled={isBusy.value}>
            {isBusy.value ? queue.deciding : words.save}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {names.cancel}
          </button>
        </div>
      </form>
    </>
  );
}

function Conflict({ product }: { product: Product }) {
  const words = texts.value.shop;
  return (
    <div class="note" role="alert">
      <p>{words.conflict}</p>
      <p>
        {words.now}: <Text of={product.product_name} />,{' '}
        {texts.value.product.statuses[product.moderation_status]}
      </p>
    </div>
  );
}

/** Leaves out empty fields. */
function submissionIn(fields: FormData) {
  const price = textOf(fields, 'price').trim().replace(',', '.');
  const description = textOf(fields, 'description').trim();
  const image = textOf(fields, 'image_url').trim();
  return {
    product_name: textOf(fields, 'product_name').trim(),
    ...(price && { price: Number(price) }),
    ...(description && { description }),
    ...(image && { image_url: image }),
  };
}
