/** The messages in the corner, which screen readers read as they come. */

import { useWorkspace } from './context';
import { Text } from './text';
import { texts } from '../store/preferences';

export function ToastList() {
  const { toasts } = useWorkspace();
  const words = texts.value.toast;
  return (
    <section class="toasts" role="status" aria-live="polite" aria-label={words.title}>
      {toasts.shown.value.map(({ key, tone, title, text, href }) => (
        <div
          key={key}
          class={`toast ${tone}`}
          onMouseEnter={() => toasts.pause(key)}
          onMouseLeave={() => toasts.resume(key)}
        >
          <div>
            <b>{title}</b>
            {text && (
              <p>
                {href ? (
                  <a href={href}>
                    <Text of={text} />
                  </a>
                ) : (
                  <Text of={text} />
                )}
              </p>
            )}
          </div>
          <button type="button" aria-label={words.dismiss} onClick={() => toasts.dismiss(key)}>
            ×
          </button>
        </div>
      ))}
    </section>
  );
}
