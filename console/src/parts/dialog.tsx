/** The browser's own dialog, which traps the focus and restores it. */

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { texts } from '../store/preferences';

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface QuestionProps {
  readonly question: string;
  readonly onAnswer: (isYes: boolean) => void;
}

/** Asks before something that cannot be undone. */
export function Question({ question, onAnswer }: QuestionProps) {
  const { confirm } = texts.value;
  return (
    <Dialog title={question} onClose={() => onAnswer(false)}>
      <div class="actions">
        <button type="button" class="button bad" onClick={() => onAnswer(true)}>
          {confirm.yes}
        </button>
        <button type="button" class="button" onClick={() => onAnswer(false)}>
          {confirm.no}
        </button>
      </div>
    </Dialog>
  );
}
