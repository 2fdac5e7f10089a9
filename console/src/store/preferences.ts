/** Preferences stored in this browser: language, colours, keys, reasons. */

import { computed, effect, signal, type Signal } from '@preact/signals';
import { readReasons } from '../state/reasons';
import { en, type Texts } from '../texts/en';
import { ru } from '../texts/ru';

export const LANGUAGES = { en: 'English', ru: 'Русский' } as const;
export type Language = keyof typeof LANGUAGES;
export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Storage, which the browser may forbid: then nothing is stored. */
export function kept(key: string, storage: 'localStorage' | 'sessionStorage' = 'localStorage') {
  const name = `vitrina.console.${key}`;
  const attempt = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch {
      return null;
    }
  };
  return {
    read: () => attempt(() => window[storage].getItem(name)),
    write: (text: string | null) =>
      attempt(() =>
        text === null ? window[storage].removeItem(name) : window[storage].setItem(name, text),
      ),
  };
}

function choice<T extends string>(key: string, choices: readonly T[], otherwise: T): Signal<T> {
  const place = kept(key);
  const found = place.read();
  const chosen = signal(choices.find((each) => each === found) ?? otherwise);
  effect(() => void place.write(chosen.value));
  return chosen;
}

const isRussian = navigator.languages.some((each) => /^ru\b/.test(each));
export const language = choice<Language>('language', ['en', 'ru'], isRussian ? 'ru' : 'en');
export const theme = choice<Theme>('theme', THEMES, 'auto');
export const keys = choice('keys', ['on', 'off'], 'on');

const reasonsPlace = kept('reasons');
export const reasons = signal<readonly string[]>(readReasons(reasonsPlace.read()));
effect(() => void reasonsPlace.write(JSON.stringify(reasons.value)));

export const texts = computed<Texts>(() => (language.value === 'ru' ? ru : en));

effect(() => {
  document.documentElement.lang = language.value;
  document.documentElement.dataset['theme'] = theme.value;
});
