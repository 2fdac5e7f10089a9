/** Times, money and texts as people read them. */

import { signal } from '@preact/signals';
import { texts } from './store/preferences';

/** The present, to half a minute: ages are drawn again when it moves. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 30_000);

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** Returns `2 min ago`, or only `2 min`. */
export function age(timestamp: string, style: 'ago' | 'short'): string {
  const ms = Math.max(0, now.value - Date.parse(timestamp));
  const { locale, ago } = texts.value;
  const [unit, length] = UNITS.find(([, length]) => ms >= length) ?? ['minute', 60_000];
  if (ms < 60_000) return ago.now;
  const value = Math.floor(ms / length);
  return style === 'ago'
    ? new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-value, unit)
    : new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
}

/** Returns the time, with the day if that is not today. */
export function moment(time: string | number): string {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date(now.value).toDateString();
  return date.toLocaleString(texts.value.locale, {
    ...(isToday ? {} : { day: 'numeric', month: 'short' }),
    hour: '2-digit',
    minute: '2-digit',
  });
}

export function clock(time: number): string {
  return new Date(time).toLocaleTimeString(texts.value.locale);
}

/** Returns an amount in a currency, or the number alone if the currency is not known. */
export function money(amount: number | null | undefined, currency: string | null): string {
  if (amount === null || amount === undefined) return texts.value.product.noPrice;
  const digits = Number.isInteger(amount) ? 0 : 2;
  const { locale } = texts.value;
  const options = { minimumFractionDigits: digits };
  if (!currency) return amount.toLocaleString(locale, options);
  return amount.toLocaleString(locale, { ...options, style: 'currency', currency });
}

// Everything that hides, joins or turns letters, but the joiners that emoji and some scripts need.
const HIDDEN =
  /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu;

/** Shows characters that cannot be seen by their numbers; line breaks stay. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) =>
    character === '\n' ? character : `[U+${hex(character.codePointAt(0) ?? 0)}]`,
  );
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}
