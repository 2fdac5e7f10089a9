/** A request that must take effect exactly once: an announcement. */

export interface Announcement {
  readonly to: string;
  readonly title: string;
  readonly text: string;
}

/**
 * `unsure` means that no answer came: the request may have been done, so the same content is sent again
 * with the same key, and no other content can be sent before that is settled.
 */
export type Sending =
  | { readonly state: 'editing' }
  | { readonly state: 'sending' | 'unsure'; readonly key: string; readonly content: Announcement };

export const EDITING: Sending = { state: 'editing' };

/** Starts sending, or repeats with the same key and content. */
export function begun(sending: Sending, content: Announcement, newKey: () => string): Sending {
  if (sending.state === 'editing') return { state: 'sending', key: newKey(), content };
  return { ...sending, state: 'sending' };
}

/** The state after a failure: a refusal had no effect; without an answer the result is unknown. */
export function failed(sending: Sending, code: string): Sending {
  if (sending.state === 'editing') return sending;
  return UNSETTLED.has(code) || code.startsWith('http_5')
    ? { ...sending, state: 'unsure' }
    : EDITING;
}

/** The request may have been done, or may be running. */
const UNSETTLED = new Set(['network', 'request_running', 'internal_error', 'busy', 'unhealthy']);

/** Reads the state stored when the page was left; returns the initial state for any other text. */
export function readSending(kept: string | null): Sending {
  try {
    const found = JSON.parse(kept ?? '') as Partial<Extract<Sending, { key: string }>>;
    const { key, content } = found;
    return key && content ? { state: 'unsure', key, content } : EDITING;
  } catch {
    return EDITING;
  }
}
