/** The view that the address names after `#/`. */

import { signal } from '@preact/signals';

/** `view/id?shop=10`; the shop filters lists. */
export interface Route {
  readonly view: string;
  readonly id: number | null;
  readonly query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view = '', id = ''] = path.split('/');
  return { view, id: numberIn(id), query: new URLSearchParams(query) };
}

/** Returns the number if the text is its canonical form, or null. */
export function numberIn(text: string | null): number | null {
  return text && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}

export const route = signal(parseRoute(location.hash));
addEventListener('hashchange', () => (route.value = parseRoute(location.hash)));

export function go(view: string): void {
  location.hash = `#/${view}`;
}
