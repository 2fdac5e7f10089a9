/** Texts of shops and people: always as text, apart from what stands around them. */

import { age, money, moment, visible } from '../format';
import { useWorkspace } from './context';

/** Letters that are written from right to left, or hidden, change nothing around them. */
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

/** An amount in the platform's currency, in which all prices and fees are. */
export function Money({ of: amount, minDigits = 0 }: MoneyProps) {
  const currency = useWorkspace().settings.value?.currency ?? null;
  return <span class="number">{money(amount, currency, minDigits)}</span>;
}

/** The key that does the same as the button. */
export function Key({ of: name }: { of: string }) {
  return <kbd aria-hidden="true">{name}</kbd>;
}
