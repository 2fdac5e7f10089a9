/** The list of products, with the actions on several of them. */

import { useCallback } from 'preact/hooks';
import { number } from '../format';
import { AsOf } from '../parts/indicator';
import { Key } from '../parts/text';
import { VirtualList } from '../parts/virtual_list';
import type { Row } from '../state/listing';
import type { Action, Moderation } from '../store/moderation';
import { texts } from '../store/preferences';
import { ProductRow } from './product_row';
import { StatusFilter } from './status_filter';

interface Props {
  readonly moderation: Moderation;
  readonly view: string;
  readonly query: string;
  readonly onDecide: (action: Action) => void;
}

const ROW_HEIGHT = 72;

const keyOf = (row: Row) => row.product.product_id;

export function ProductRows({ moderation, view, query, onDecide }: Props) {
  const { list, selection, attention } = moderation;
  const currentId = attention.id;
  const { rows } = list.listing.value;
  const words = texts.value.queue;
  const isSelecting = selection.value.size > 0;
  const more = useCallback(() => void list.more(), [list]);
  const open = useCallback(
    (id: number) => {
      if (currentId.peek() === null) history.pushState(null, '', `#/${view}/${id}${query}`);
      attention.open(id);
    },
    [attention, currentId, view, query],
  );
  const toggle = useCallback(
    (id: number, isRange: boolean) => {
      if (isRange) moderation.selectTo(id);
      else moderation.toggle(id);
    },
    [moderation],
  );
  const classOf = (row: Row) => {
    const isCurrent = row.product.product_id === currentId.value;
    return [isCurrent && 'current', row.outcome && `outcome ${row.outcome.status}`]
      .filter(Boolean)
      .join(' ');
  };
  return (
    <section class="list" aria-label={view === 'queue' ? words.title : texts.value.nav.products}>
      <header class="bar">
        <h1>{view === 'queue' ? words.title : texts.value.nav.products}</h1>
        <span class="count" aria-live="polite">
          {number(list.total.value)}
          {isSelecting && ` · ${words.selected(selection.value.size)}`}
        </span>
        <AsOf />
        {isSelecting && <ApproveSelected moderation={moderation} onDecide={onDecide} />}
      </header>
      <div class="tools">
        {isSelecting ? (
          <SelectionTools moderation={moderation} onDecide={onDecide} />
        ) : (
          <StatusFilter view={view} list={list} />
        )}
      </div>
      <Notice moderation={moderation} />
      <VirtualList
        items={rows}
        keyOf={keyOf}
        rowHeight={ROW_HEIGHT}
        label={words.title}
        currentIndex={rows.findIndex((row) => row.product.product_id === currentId.value)}
        onNearEnd={more}
        classOf={classOf}
        draw={(row) => (
          <ProductRow
            row={row}
            isCurrent={row.product.product_id === currentId.value}
            isSelected={selection.value.has(row.product.product_id)}
            canSelect={list.options.status === 'pending'}
            onOpen={open}
            onToggle={toggle}
          />
        )}
      />
    </section>
  );
}

type DecideProps = Pick<Props, 'moderation' | 'onDecide'>;

function ApproveSelected({ moderation, onDecide }: DecideProps) {
  const words = texts.value.queue;
  const isBusy = moderation.isDecidingTogether.value;
  return (
    <button
      type="button"
      class="button go"
      aria-disabled={isBusy}
      onClick={() => onDecide('approve')}
    >
      {isBusy ? words.deciding : words.approveMany(moderation.selection.value.size)}
      <Key of="A" />
    </button>
  );
}

function SelectionTools({ moderation, onDecide }: DecideProps) {
  const words = texts.value.queue;
  return (
    <>
      <button
        type="button"
        class="button bad small"
        aria-disabled={moderation.isDecidingTogether.value}
        onClick={() => onDecide('reject')}
      >
        {words.rejectMany(moderation.selection.value.size)}
        <Key of="R" />
      </button>
      <button type="button" class="link" onClick={() => moderation.selectAll()}>
        {words.selectAll}
      </button>
      <button type="button" class="link" onClick={() => moderation.clearSelection()}>
        {words.clear}
      </button>
    </>
  );
}

/** The reason for which the list is empty. */
function Notice({ moderation: { list } }: Pick<Props, 'moderation'>) {
  const words = texts.value.queue;
  if (list.failure.value !== null && !list.isLoaded.value) {
    return (
      <div class="notice" role="alert">
        <p>{words.failed}</p>
        <button type="button" class="button" onClick={() => void list.load()}>
          {words.retry}
        </button>
      </div>
    );
  }
  if (!list.isLoaded.value) return <p class="notice">{words.loading}</p>;
  if (list.listing.value.rows.length > 0) return null;
  const isQueue = list.options.isQueue;
  return <p class="notice">{isQueue ? words.empty : texts.value.shop.empty}</p>;
}
