/** Requests: not built yet. */

import type { Answer, Http, HttpOptions } from './types.js';

export function createHttp(options: HttpOptions): Http {
  const call = (): Promise<Answer<unknown>> =>
    Promise.reject(new Error(`Requests to ${options.origin} are not built yet.`));
  return { get: call, post: call, put: call, delete: call };
}
