/** Texts of shops and people: always as text, isolated from the surrounding text. */

import { age, money, moment, visible } from '../format';
import { useWorkspace } from './context';

/** Right-to-left or hidden characters do not change the surrounding text. */
export function Text({ of: text }: { of: string }) {
  return <bdi>{visible(text)}</bdi>;
}

export function Age({ of: timestamp, style }: { of: string; style: 'ago' | 'short' }) {
  return (
    <time dateTime={timestamp} title={moment(timestamp)}>
      {age(timestamp, style)}
    </time>
  );
}

export function Moment({ of: timestamp }: { of: string }) {
  return <time dateTime={timestamp}>{moment(timestamp)}</time>;
}

interface MoneyProps {
  readonly of: number | null | undefined;
  readonly minDigits?: number;
}

/** An amount in the platform's currency, which all prices and fees use. */
export function Money({ of: amount, minDigits = 0 }: MoneyProps) {
  const currency = useWorkspace().settings.value?.currency ?? null;
  return <span class="number">{money(amount, currency, minDigits)}</span>;
}

/** The keyboard shortcut of the button. */
export function Key({ of: name }: { of: string }) {
  return <kbd aria-hidden="true">{name}</kbd>;
}
