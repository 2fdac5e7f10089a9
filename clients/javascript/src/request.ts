/** One request and its answer, as JSON. */

import { NetworkError, Problem } from './errors.js';

export interface Answer<Data> {
  readonly status: number;
  /** `undefined` without a body, as of a 204. */
  readonly data: Data;
  /** The product's version, or any other `ETag`. */
  readonly etag: string | null;
}

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Resolves to an answer that is 2xx; rejects with Problem for any other, and with NetworkError. */
export async function request(
  send: typeof fetch,
  { method, url, headers, body }: Request,
  signal: AbortSignal,
): Promise<Answer<unknown>> {
  const [answer, text] = await reading(() =>
    send(url, {
      method,
      signal,
      // Only captive portals redirect.
      redirect: 'error',
      credentials: 'omit',
      headers: body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );
  const data = parsed(text);
  if (!answer.ok) throw new Problem(answer.status, data, answer.headers.get('Retry-After'));
  if (data === undefined && text) throw new NetworkError('The answer is not JSON.');
  return { status: answer.status, data, etag: answer.headers.get('ETag') };
}

async function reading(send: () => Promise<Response>): Promise<[Response, string]> {
  try {
    const answer = await send();
    return [answer, await answer.text()];
  } catch (cause) {
    throw new NetworkError('There is no answer.', { cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
