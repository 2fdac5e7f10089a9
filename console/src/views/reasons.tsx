/** The last reasons, to be chosen again. */

import { Text } from '../parts/text';
import { reasons, texts } from '../store/preferences';

export function Reasons({ onChoose }: { onChoose: (reason: string) => void }) {
  if (reasons.value.length === 0) return null;
  return (
    <div class="reasons">
      {texts.value.product.reasons}{' '}
      {reasons.value.map((reason) => (
        <button key={reason} type="button" class="link" onClick={() => onChoose(reason)}>
          <Text of={reason} />
        </button>
      ))}
    </div>
  );
}
