/** A request that must be done once, whatever the network does: an announcement. */

export interface Announcement {
  readonly to: string;
  readonly title: string;
  readonly text: string;
}

/**
 * `unsure` means that no answer came: it may be done, so the same content is sent again with the
 * same key, and nothing else can be sent before that is settled.
 */
export type Sending =
  | { readonly state: 'editing' }
  | { readonly state: 'sending' | 'unsure'; readonly key: string; readonly content: Announcement };

export const EDITING: Sending = { state: 'editing' };

/** Begins, or begins again with the key and the content that were sent before. */
export function begun(sending: Sending, content: Announcement, newKey: () => string): Sending {
  if (sending.state === 'editing') return { state: 'sending', key: newKey(), content };
  return { ...sending, state: 'sending' };
}

/** What follows a failure: a refusal did nothing; without an answer it stays open. */
export function failed(sending: Sending, code: string): Sending {
  if (sending.state === 'editing') return sending;
  return UNSETTLED.has(code) || code.startsWith('http_5')
    ? { ...sending, state: 'unsure' }
    : EDITING;
}

/** The request may have been done, or may be running. */
const UNSETTLED = new Set(['network', 'request_running', 'internal_error', 'busy', 'unhealthy']);

/** Reads what was kept when the page was left; anything else is nothing. */
export function readSending(kept: string | null): Sending {
  try {
    const found = JSON.parse(kept ?? '') as Partial<Extract<Sending, { key: string }>>;
    const { key, content } = found;
    return key && content ? { state: 'unsure', key, content } : EDITING;
  } catch {
    return EDITING;
  }
}
