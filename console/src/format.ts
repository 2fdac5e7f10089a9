/** Times, money and texts as people read them. */

import { signal } from '@preact/signals';
import { texts } from './store/preferences';

/** The present, in steps of half a minute: ages are drawn again after each step. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 30_000);

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** Formats by their options: to create one takes longer than to use it a hundred times. */
const formats = new Map<string, object>();

function formatOf<F extends object>(
  Format: new (locale: string, options: never) => F,
  options: Record<string, unknown>,
): F {
  const { locale } = texts.value;
  const key = Format.name + locale + JSON.stringify(options);
  const found = (formats.get(key) as F | undefined) ?? new Format(locale, options as never);
  formats.set(key, found);
  return found;
}

export function number(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : formatOf(Intl.NumberFormat, {}).format(value);
}

/** Returns `2 min ago`, or only `2 min`. */
export function age(timestamp: string, style: 'ago' | 'short'): string {
  const ms = Math.max(0, now.value - Date.parse(timestamp));
  const { ago } = texts.value;
  const [unit, length] = UNITS.find(([, length]) => ms >= length) ?? ['minute', 60_000];
  if (ms < 60_000) return style === 'ago' ? ago.justNow : ago.now;
  const value = Math.floor(ms / length);
  return style === 'ago'
    ? formatOf(Intl.RelativeTimeFormat, { numeric: 'auto' }).format(-value, unit)
    : formatOf(Intl.NumberFormat, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
}

/** Returns the time, with the day if that is not today. */
export function moment(time: string | number): string {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date(now.value).toDateString();
  return formatOf(Intl.DateTimeFormat, {
    ...(isToday ? {} : { day: 'numeric', month: 'short' }),
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(date);
}

export function clock(time: number): string {
  return formatOf(Intl.DateTimeFormat, { timeStyle: 'medium', hourCycle: 'h23' }).format(time);
}

/** Returns an amount in a currency, or the number alone if the currency is not known. */
export function money(
  amount: number | null | undefined,
  currency: string | null,
  minDigits = 0,
): string {
  if (amount === null || amount === undefined) return texts.value.product.noPrice;
  const options = { minimumFractionDigits: Number.isInteger(amount) ? minDigits : 2 };
  const inCurrency = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' };
  return formatOf(Intl.NumberFormat, currency ? { ...options, ...inCurrency } : options).format(
    amount,
  );
}

// Characters that hide, join or reverse letters, except the joiners that emoji and some scripts need.
const HIDDEN =
  /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu;

/** Replaces invisible characters with their numbers; line breaks stay. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) =>
    character === '\n' ? character : `[U+${hex(character.codePointAt(0) ?? 0)}]`,
  );
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}
