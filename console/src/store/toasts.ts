/** Short messages that disappear automatically. */

import { signal } from '@preact/signals';

export interface Toast {
  readonly key: number;
  readonly tone: 'info' | 'bad';
  readonly title: string;
  readonly text: string;
  /** A message replaces an earlier one of the same kind. */
  readonly kind?: string;
  /** The address of the page that the message is about. */
  readonly href?: string;
}

type Options = Pick<Toast, 'kind' | 'href'>;

const SHOWN_MS = 7000;
const MAX_TOASTS = 4;

export class Toasts {
  readonly shown = signal<readonly Toast[]>([]);
  #next = 0;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();

  add(tone: Toast['tone'], title: string, text = '', options: Options = {}): void {
    const toast = { key: this.#next++, tone, title, text, ...options };
    const { kind } = options;
    const others = this.shown.peek().filter((each) => !kind || each.kind !== kind);
    this.shown.value = [...others, toast].slice(-MAX_TOASTS);
    this.resume(toast.key);
  }

  dismiss(key: number): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    this.shown.value = this.shown.peek().filter((each) => each.key !== key);
  }

  /** A message stays while the pointer or the focus is on it. */
  pause(key: number): void {
    clearTimeout(this.#timers.get(key));
  }

  resume(key: number): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.set(
      key,
      setTimeout(() => this.dismiss(key), SHOWN_MS),
    );
  }
}
