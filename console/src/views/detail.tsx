/** The product that is shown: its fields, changes, and earlier decisions. */

import { useEffect, useRef } from 'preact/hooks';
import { useWorkspace } from '../parts/context';
import { Picture } from '../parts/picture';
import { Age, Moment, Money, Text } from '../parts/text';
import type { Row } from '../state/listing';
import { changedFields, pictureAddress, type Field, type Product } from '../state/product';
import type { Action, Moderation } from '../store/moderation';
import { texts } from '../store/preferences';
import { go } from '../store/route';
import { DecisionForm } from './decision_form';

interface Props {
  readonly moderation: Moderation;
  readonly onDecide: (action: Action) => void;
}

const NARROW = '(max-width: 599px)';

export function Detail({ moderation, onDecide }: Props) {
  const row = moderation.attention.row.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const { queue, product: words } = texts.value;
  const id = row?.product.product_id;
  useEffect(() => {
    if (id !== undefined && matchMedia(NARROW).matches) heading.current?.focus();
  }, [id]);
  if (!row) {
    return (
      <section class="detail" aria-label={words.history}>
        <p class="notice">{queue.none}</p>
      </section>
    );
  }
  const { product } = row;
  return (
    <section class="detail" aria-labelledby="product-name">
      <button type="button" class="link back" onClick={() => moderation.attention.open(null)}>
        ← {queue.back}
      </button>
      <h1 id="product-name" ref={heading} tabIndex={-1}>
        <Text of={product.product_name} />
      </h1>
      <p class="meta">
        <Text of={product.shop_name} /> · {words.since[product.moderation_status]}{' '}
        <Age of={product.status_changed_at} style="ago" /> · {words.version(product.version)} ·{' '}
        {words.number(product.product_id)}
      </p>
      <div class="card facts">
        <Picture product={product} isLarge />
        <div>
          <Facts product={product} view={moderation.list.options.isQueue ? 'queue' : 'products'} />
          <div aria-live="polite">
            <Changed row={row} />
            <Outcome row={row} />
          </div>
        </div>
      </div>
      <DecisionForm moderation={moderation} row={row} onDecide={onDecide} />
      <History product={product} />
    </section>
  );
}

function Facts({ product, view }: { product: Product; view: string }) {
  const { product: words, queue } = texts.value;
  return (
    <dl>
      <dt>{words.price}</dt>
      <dd>
        <b>
          <Money of={product.price} />
        </b>
      </dd>
      <dt>{words.description}</dt>
      <dd class="long">
        {product.description ? <Text of={product.description} /> : words.noDescription}
      </dd>
      <dt>{words.shop}</dt>
      <dd>
        <Text of={product.shop_name} /> ·{' '}
        <button type="button" class="link" onClick={() => go(`${view}?shop=${product.shop_id}`)}>
          {queue.onlyShop}
        </button>
      </dd>
      {product.approval_fee !== null && product.approval_fee !== undefined && (
        <>
          <dt>{words.fee}</dt>
          <dd>
            <Money of={product.approval_fee} minDigits={2} />
          </dd>
        </>
      )}
    </dl>
  );
}

/** The previous values of fields that the shop has changed meanwhile. */
function Changed({ row: { before, product } }: { row: Row }) {
  const words = texts.value.product;
  if (!before) return null;
  return (
    <div class="note">
      <p>{words.changed}</p>
      <ul>
        {changedFields(before, product).map((field) => (
          <li key={field}>
            {words[field]}: <Before field={field} product={before} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Before({ field, product }: { field: Field; product: Product }) {
  const words = texts.value.product;
  if (field === 'price') return <Money of={product.price} />;
  if (field === 'image_url') {
    return <>{pictureAddress(product) ? words.changedPicture : words.noPicture}</>;
  }
  return <Text of={product[field] ?? words.noDescription} />;
}

function Outcome({ row: { outcome } }: { row: Row }) {
  const workspace = useWorkspace();
  if (!outcome) return null;
  const who = workspace.who(outcome.adminId);
  return <p class="note">{texts.value.product.already(outcome.status, who)}</p>;
}

function History({ product }: { product: Product }) {
  const workspace = useWorkspace();
  const words = texts.value.product;
  const decisions = product.decisions ?? [];
  const isAgain = product.moderation_status === 'pending' && decisions.length > 0;
  return (
    <section class="history" aria-labelledby="history">
      <h2 id="history">{words.history}</h2>
      {decisions.length === 0 && <p>{words.noHistory}</p>}
      <ul>
        {decisions.map((each) => (
          <li key={each.version}>
            <b>{words.statuses[each.moderation_status]}</b> —{' '}
            {words.who(workspace.who(each.admin_id))}, <Moment of={each.status_changed_at} />
            {each.moderation_notes && (
              <>
                : «<Text of={each.moderation_notes} />»
              </>
            )}
          </li>
        ))}
        {isAgain && (
          <li>
            <b>{words.resubmitted}</b> — <Text of={product.shop_name} />,{' '}
            <Moment of={product.status_changed_at} />
          </li>
        )}
      </ul>
    </section>
  );
}
