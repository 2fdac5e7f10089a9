/** Products to decide about: the list, and the product that is shown. */

import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useKeys } from '../parts/keys';
import { route } from '../store/route';
import type { Action, Moderation } from '../store/moderation';
import { BulkReason } from './bulk_reason';
import { Detail } from './detail';
import { ProductRows } from './product_rows';

interface Props {
  readonly moderation: Moderation;
  /** The beginning of its addresses: `queue`, or `products`. */
  readonly view: string;
  readonly query: string;
}

const WIDE = '(min-width: 600px)';

export function ModerationView({ moderation, view, query }: Props) {
  const isAskingReason = useSignal(false);
  const isPending = moderation.list.options.status === 'pending';

  // The address names the product that is shown, and the button "back" leads to the list.
  useEffect(() => moderation.attention.open(route.peek().id), [moderation]);
  useSignalEffect(() => {
    const { id, view: shown } = route.value;
    if (shown === view && id !== moderation.attention.id.peek()) moderation.attention.open(id);
  });
  useSignalEffect(() => {
    const id = moderation.attention.id.value;
    const address = `#/${view}${id === null ? '' : `/${id}`}${query}`;
    if (location.hash !== address) history.replaceState(null, '', address);
  });
  useSignalEffect(() => {
    const isIdle = moderation.attention.id.value === null && moderation.list.isLoaded.value;
    if (isIdle && matchMedia(WIDE).matches) moderation.attention.step(1);
  });

  const decide = (action: Action) => {
    if (action === 'approve' && moderation.selection.peek().size > 0) {
      void moderation.decideTogether('approve', '');
    } else if (action === 'reject' && moderation.selection.peek().size > 0) {
      isAskingReason.value = true;
    } else if (action === 'approve') {
      void moderation.decide('approve');
    } else if (moderation.attention.row.peek()) {
      moderation.attention.writing.value = action;
      // Immediately, so that no letter of the reason is lost.
      document.getElementById('notes')?.focus();
    }
  };
  const step = (by: 1 | -1) => {
    moderation.attention.step(by);
    focusCurrentRow();
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ...(isPending
      ? {
          a: () => decide('approve'),
          r: () => decide('reject'),
          x: () => toggle(moderation),
          Space: () => {
            toggle(moderation);
            step(1);
          },
        }
      : {}),
    ...(moderation.list.options.status === 'approved' ? { w: () => decide('withdraw') } : {}),
    Escape: () => {
      if (moderation.attention.writing.peek()) moderation.attention.writing.value = null;
      else moderation.clearSelection();
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    },
  });

  const isOpen = moderation.attention.id.value !== null;
  return (
    <div class={`split ${isOpen ? 'is-open' : ''}`}>
      <ProductRows moderation={moderation} view={view} query={query} onDecide={decide} />
      <Detail moderation={moderation} onDecide={decide} />
      {isAskingReason.value && (
        <BulkReason
          moderation={moderation}
          onClose={() => {
            isAskingReason.value = false;
          }}
        />
      )}
    </div>
  );
}

function toggle(moderation: Moderation): void {
  const id = moderation.attention.id.peek();
  if (id !== null) moderation.toggle(id);
}

/** After the list is drawn again, so that screen readers read the row. */
function focusCurrentRow(): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const row = document.querySelector<HTMLElement>('.rows [aria-current=true]');
      row?.focus({ preventScroll: true });
    }),
  );
}
