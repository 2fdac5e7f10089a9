/** Texts for decisions: those being typed, by product, and those that were sent. */

const MAX_OFFERED = 5;

export type Drafts = ReadonlyMap<number, string>;

export function withDraft(drafts: Drafts, id: number, text: string): Drafts {
  const next = new Map(drafts);
  if (text) next.set(id, text);
  else next.delete(id);
  return next;
}

/** Returns the reasons to offer, the last one first, each once. */
export function withReason(offered: readonly string[], text: string): string[] {
  const reason = text.trim();
  return [reason, ...offered.filter((other) => other !== reason)].slice(0, MAX_OFFERED);
}

/** Reads stored reasons (JSON); returns none for any other text. */
export function readReasons(kept: string | null): string[] {
  try {
    const found: unknown = JSON.parse(kept ?? '[]');
    const texts = Array.isArray(found) ? found.filter((each) => typeof each === 'string') : [];
    return texts.slice(0, MAX_OFFERED);
  } catch {
    return [];
  }
}
