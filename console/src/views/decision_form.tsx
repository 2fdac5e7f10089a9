/** The note or the reason, and the buttons that decide about one product. */

import { useEffect, useRef } from 'preact/hooks';
import { useWorkspace } from '../parts/context';
import { Key } from '../parts/text';
import type { Row } from '../state/listing';
import type { Action, Moderation } from '../store/moderation';
import { texts } from '../store/preferences';
import { Reasons } from './reasons';

interface Props {
  readonly moderation: Moderation;
  readonly row: Row;
  readonly onDecide: (action: Action) => void;
}

/** The limits that are used until the settings are read. */
const DEFAULT_LIMITS = { longest_notes: 1000, shortest_rejection_notes: 1 };

export function useLimits() {
  return { ...DEFAULT_LIMITS, ...useWorkspace().settings.value };
}

export function DecisionForm({ moderation, row, onDecide }: Props) {
  const { product } = row;
  const id = product.product_id;
  const { status } = moderation.list.options;
  const field = useRef<HTMLTextAreaElement>(null);
  const writing = moderation.attention.writing.value;
  const limits = useLimits();
  const words = texts.value.product;
  const text = moderation.drafts.value.get(id) ?? '';
  useEffect(() => {
    if (writing) field.current?.focus();
    // After sending, keys decide about the next product, and are not text for its shop.
    else if (document.activeElement === field.current) field.current?.blur();
  }, [writing]);
  if (row.outcome || (status !== 'pending' && status !== 'approved')) return null;
  if (status === 'approved' && !writing) return <Withdraw onDecide={onDecide} />;

  const isShort = text.trim().length < limits.shortest_rejection_notes;
  // Keys may come faster than the form is drawn.
  const send = () => {
    const action = moderation.attention.writing.peek();
    const { length } = (moderation.drafts.peek().get(id) ?? '').trim();
    if (action && length >= limits.shortest_rejection_notes) void moderation.decide(action);
  };
  return (
    <form
      class="decision"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label for="notes">{labelOf(writing)}</label>
      <textarea
        id="notes"
        ref={field}
        value={text}
        rows={2}
        maxLength={limits.longest_notes}
        aria-describedby={writing ? 'notes-hint' : undefined}
        onInput={(event) => moderation.write(id, event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
        }}
      />
      {writing && isShort && (
        <p id="notes-hint" class="hint">
          {words.reasonHint(limits.shortest_rejection_notes)}
        </p>
      )}
      <div class="actions">
        {writing ? (
          <ReasonButtons moderation={moderation} row={row} isShort={isShort} />
        ) : (
          <Buttons moderation={moderation} row={row} />
        )}
        <Reasons
          onChoose={(reason) => {
            moderation.write(id, reason);
            if (!writing) onDecide('reject');
          }}
        />
      </div>
    </form>
  );
}

function labelOf(writing: 'reject' | 'withdraw' | null): string {
  const words = texts.value.product;
  if (writing === null) return words.notes;
  return writing === 'reject' ? words.reason : words.withdrawReason;
}

function Buttons({ moderation, row }: Omit<Props, 'onDecide'>) {
  const { product: words, queue } = texts.value;
  const isBusy = moderation.busy.value.has(row.product.product_id);
  const isSelecting = moderation.selection.value.size > 0;
  return (
    <>
      <button
        type="button"
        class="button go"
        aria-disabled={isBusy || moderation.attention.isReading.value}
        onClick={(event) => {
          // The second click of a double click would decide about the next product.
          if (event.detail < 2) void moderation.decide('approve');
        }}
      >
        {isBusy ? queue.deciding : words.approve(row.product.version)}
        {!isSelecting && <Key of="A" />}
      </button>
      <button
        type="button"
        class="button bad"
        aria-disabled={isBusy}
        onClick={() => {
          moderation.attention.writing.value = 'reject';
        }}
      >
        {words.reject}
        {!isSelecting && <Key of="R" />}
      </button>
      <button type="button" class="button" onClick={() => moderation.attention.step(1)}>
        {words.skip}
        <Key of="J" />
      </button>
    </>
  );
}

function ReasonButtons({
  moderation,
  row,
  isShort,
}: Omit<Props, 'onDecide'> & { isShort: boolean }) {
  const { product: words, queue } = texts.value;
  const { version, product_id: id } = row.product;
  const isBusy = moderation.busy.value.has(id);
  const isWithdrawing = moderation.attention.writing.value === 'withdraw';
  return (
    <>
      <button
        class="button bad filled"
        aria-disabled={isBusy || isShort || moderation.attention.isReading.value}
      >
        {isBusy
          ? queue.deciding
          : isWithdrawing
            ? words.withdrawNow(version)
            : words.rejectNow(version)}
        <Key of="Ctrl ↵" />
      </button>
      <button
        type="button"
        class="button"
        onClick={() => {
          moderation.attention.writing.value = null;
        }}
      >
        {words.cancel}
        <Key of="Esc" />
      </button>
    </>
  );
}

function Withdraw({ onDecide }: Pick<Props, 'onDecide'>) {
  return (
    <div class="actions">
      <button type="button" class="button bad" onClick={() => onDecide('withdraw')}>
        {texts.value.product.withdraw}
        <Key of="W" />
      </button>
    </div>
  );
}
