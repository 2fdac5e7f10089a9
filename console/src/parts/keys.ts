/** Keys that work everywhere on a view, in every layout of the keyboard. */

import { useEffect, useRef } from 'preact/hooks';
import { keys } from '../store/preferences';

export type Bindings = Partial<Record<string, (event: KeyboardEvent) => void>>;

/** Binds letters by their lower case, `Space`, `Escape` and `?`. A held key counts once. */
export function useKeys(bindings: Bindings): void {
  const latest = useRef(bindings);
  latest.current = bindings;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const name = nameOf(event);
      if (!isForPage(event, name)) return;
      const action = latest.current[name];
      if (!action) return;
      event.preventDefault();
      if (!event.repeat || name === 'j' || name === 'k') action(event);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

/** A Cyrillic letter is the Latin one of its place. */
function nameOf({ key, code }: KeyboardEvent): string {
  if (key === ' ') return 'Space';
  if (/^[a-z]$/i.test(key)) return key.toLowerCase();
  return /^\p{L}$/u.test(key) && code.startsWith('Key') ? code.slice(3).toLowerCase() : key;
}

function isForPage(event: KeyboardEvent, name: string): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  const target = event.target instanceof Element ? event.target : document.body;
  if (document.querySelector('dialog[open]')) return false;
  if (name === 'Escape') return true;
  if (keys.value === 'off' || target.matches('textarea, select, [contenteditable]')) return false;
  if (target.matches('input')) return target.matches('[type=checkbox]') && name !== 'Space';
  return name !== 'Space' || !target.matches('button:not([data-row]), a, summary');
}
