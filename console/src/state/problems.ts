/** Failures by their code. */

/** Returns the code of a refusal, `network` without an answer, or `unexpected`. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unexpected';
  return 'code' in error && typeof error.code === 'string' ? error.code : 'unexpected';
}

export function retryAfterOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null) return null;
  const isNumber = 'retryAfterSeconds' in error && typeof error.retryAfterSeconds === 'number';
  return isNumber ? (error.retryAfterSeconds as number) : null;
}

/** Somebody has decided already, or the shop has edited the product: the page shows an old version. */
export const OUTDATED = new Set([
  'already_moderated',
  'not_approved',
  'product_changed',
  'version_missing',
  'product_not_found',
  'not_found',
]);
