/** One product in a list. */

import { memo } from '../parts/memo';
import { useWorkspace } from '../parts/context';
import { Picture } from '../parts/picture';
import { Age, Money, Text } from '../parts/text';
import type { Row } from '../state/listing';
import { texts } from '../store/preferences';

interface Props {
  readonly row: Row;
  readonly isCurrent: boolean;
  readonly isSelected: boolean;
  readonly canSelect: boolean;
  readonly onOpen: (id: number) => void;
  readonly onToggle: (id: number, isRange: boolean) => void;
}

export const ProductRow = memo(DrawnRow);

function DrawnRow({ row, isCurrent, isSelected, canSelect, onOpen, onToggle }: Props) {
  const { product } = row;
  const id = product.product_id;
  const words = texts.value.queue;
  return (
    <div class="row">
      {canSelect && (
        <label class="check">
          <input
            type="checkbox"
            checked={isSelected}
            disabled={row.outcome !== null && !isSelected}
            aria-label={words.select(product.product_name)}
            onClick={(event) => onToggle(id, event.shiftKey)}
          />
        </label>
      )}
      <button
        type="button"
        class="open"
        data-row={id}
        aria-current={isCurrent ? 'true' : undefined}
        onClick={() => onOpen(id)}
      >
        <Picture product={product} />
        <span class="what">
          <span class="name">
            <Text of={product.product_name} />
          </span>
          <Below row={row} />
        </span>
        <span class="when">
          <Age of={product.status_changed_at} style="short" />
          <Mark row={row} />
        </span>
      </button>
    </div>
  );
}

/** The shop and the price, or the reason for which the row leaves or stays. */
function Below({ row: { product, outcome, problem } }: { row: Row }) {
  const workspace = useWorkspace();
  const { product: words, problems } = texts.value;
  if (outcome) {
    return (
      <span class="below">{words.outcome(outcome.status, workspace.who(outcome.adminId))}</span>
    );
  }
  if (problem) return <span class="below problem">{problems[problem] ?? problem}</span>;
  return (
    <span class="below whose">
      <span>
        <Text of={product.shop_name} />
      </span>
      <span>
        · <Money of={product.price} />
      </span>
    </span>
  );
}

function Mark({ row: { product, before, outcome } }: { row: Row }) {
  const { queue, product: words } = texts.value;
  if (outcome) {
    const tone = outcome.status === 'approved' ? 'good' : 'poor';
    return <span class={`chip ${tone}`}>{words.outcome(outcome.status, null)}</span>;
  }
  if (before) return <span class="chip warning">{queue.changed(product.version)}</span>;
  const isAgain = product.moderation_status === 'pending' && (product.decisions?.length ?? 0) > 0;
  return isAgain ? <span class="chip">{queue.again}</span> : null;
}
