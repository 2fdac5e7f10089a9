/** The one reason for rejecting several products. */

import { useSignal } from '@preact/signals';
import { Dialog } from '../parts/dialog';
import { Key } from '../parts/text';
import type { Moderation } from '../store/moderation';
import { texts } from '../store/preferences';
import { useLimits } from './decision_form';
import { Reasons } from './reasons';

interface Props {
  readonly moderation: Moderation;
  readonly onClose: () => void;
}

export function BulkReason({ moderation, onClose }: Props) {
  const reason = useSignal('');
  const limits = useLimits();
  const { bulk, product: words } = texts.value;
  const { size } = moderation.selection.value;
  const isShort = reason.value.trim().length < limits.shortest_rejection_notes;
  const send = () => {
    // Keys may come faster than the form is drawn.
    if (reason.peek().trim().length < limits.shortest_rejection_notes) return;
    void moderation.decideTogether('reject', reason.peek());
    onClose();
  };
  return (
    <Dialog title={bulk.title(size)} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <label for="bulk-reason">{words.reason}</label>
        <textarea
          id="bulk-reason"
          rows={3}
          autofocus
          value={reason.value}
          maxLength={limits.longest_notes}
          onInput={(event) => {
            reason.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
          }}
        />
        <Reasons
          onChoose={(chosen) => {
            reason.value = chosen;
          }}
        />
        <div class="actions">
          <button class="button bad filled" aria-disabled={isShort}>
            {bulk.go(size)}
            <Key of="Ctrl ↵" />
          </button>
          <button type="button" class="button" onClick={onClose}>
            {words.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
