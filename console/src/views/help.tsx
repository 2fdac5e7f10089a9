/** The keys. */

import { Dialog } from '../parts/dialog';
import { texts } from '../store/preferences';

export function Help({ onClose }: { onClose: () => void }) {
  const words = texts.value.help;
  const rows = [
    ['J', words.j],
    ['K', words.k],
    ['A', words.a],
    ['R', words.r],
    ['W', words.w],
    ['X', words.x],
    ['␣', words.space],
    ['Ctrl ↵', words.enter],
    ['Esc', words.escape],
    ['?', words.question],
  ];
  return (
    <Dialog title={words.title} onClose={onClose}>
      <dl class="keys">
        {rows.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <div class="actions">
        <button type="button" class="button" onClick={onClose}>
          {words.close}
        </button>
      </div>
    </Dialog>
  );
}
