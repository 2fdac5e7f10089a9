/** Two versions of the settings side by side. */

import { useSignal } from '@preact/signals';
import type { Conflict } from '../state/conflict';
import { texts } from '../store/preferences';

interface Props {
  readonly conflicts: readonly Conflict[];
  readonly onSettle: (chosen: ReadonlySet<string>) => void;
}

export function ConflictTable({ conflicts, onSettle }: Props) {
  const theirs = useSignal<ReadonlySet<string>>(new Set());
  const words = texts.value.settings;
  const choose = (field: string, isTheirs: boolean) => {
    const next = new Set(theirs.peek());
    if (isTheirs) next.add(field);
    else next.delete(field);
    theirs.value = next;
  };
  return (
    <section class="card conflict" role="alert" aria-label={words['conflict']}>
      <h2>{words['conflict']}</h2>
      <p>{words['conflictText']}</p>
      <table>
        <thead>
          <tr>
            {['field', 'before', 'mine', 'theirs'].map((each) => (
              <th key={each} scope="col">
                {words[each]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {conflicts.map(({ field, before, mine, theirs: other }) => (
            <tr key={field}>
              <th scope="row">{words[field]}</th>
              <td>{before}</td>
              {[false, true].map((isTheirs) => (
                <td key={String(isTheirs)}>
                  <label class="inline">
                    <input
                      type="radio"
                      name={field}
                      checked={theirs.value.has(field) === isTheirs}
                      onChange={() => choose(field, isTheirs)}
                    />
                    {isTheirs ? other : mine}
                  </label>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <div class="actions">
        <button type="button" class="button go" onClick={() => onSettle(theirs.peek())}>
          {words['merge']}
        </button>
      </div>
    </section>
  );
}
