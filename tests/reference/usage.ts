// What an app writes with the generated types; check.mjs compiles it beside them, as api.ts.

import type { operations } from './api.js';

type Responses = operations['approveProduct']['responses'];
type Code = Responses[409]['content']['application/problem+json']['code'];

export function explain(code: Code): string {
  switch (code) {
    case 'already_moderated':
      return 'Somebody else has decided.';
    case 'product_changed':
      return 'The shop has edited it.';
    case 'request_running':
      return 'Sent already; wait.';
    default:
      return code satisfies never;
  }
}

export const name = (answer: Responses[200]['content']['application/json']): string =>
  answer.product.product_name;

// @ts-expect-error a code of another operation
explain('settings_changed');
