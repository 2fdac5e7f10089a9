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

export function Money({ of: amount }: { of: number | null | undefined }) {
  const { settings } = useWorkspace();
  return <span class="number">{money(amount, settings.value?.currency ?? null)}</span>;
}

/** The key that does the same as the button. */
export function Key({ of: name }: { of: string }) {
  return <kbd aria-hidden="true">{name}</kbd>;
}
