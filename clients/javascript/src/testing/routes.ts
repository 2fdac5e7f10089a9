/** HTTP routes that the server implements: sessions, the caller's account, and events. */

import type { Position } from '../types.js';
import type { Channels } from './channels.js';
import type { Granted, Sessions } from './sessions.js';

/** A request of the app. */
export interface FakeRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** Its JSON; `null` without a body. */
  readonly body: unknown;
}

/** An answer; a `body` is sent as JSON. */
export interface FakeAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

export function problem(status: number, code: string, title = code): FakeAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json' },
    body: { type: `/problems#${code}`, title, status, code, detail: null },
  };
}

export function bearer(header: string | null): string | null {
  return header?.startsWith('Bearer ') ? header.slice('Bearer '.length) : null;
}

/** Answers a request, or returns `null` for a route that it does not have. */
export function answer(
  { method, url, headers, body }: FakeRequest,
  sessions: Sessions,
  channels: Channels,
  logOut: (access: Granted) => void,
): FakeAnswer | null {
  const fields = (body ?? {}) as Record<string, unknown>;
  const access = sessions.check(bearer(headers.get('Authorization')));
  switch (`${method} ${url.pathname}`) {
    case 'POST /api/v1/auth/login':
      return logIn(fields, sessions);
    case 'POST /api/v1/auth/refresh':
      return refresh(fields, sessions);
  }
  const authorized: Record<string, (access: Granted) => FakeAnswer> = {
    'POST /api/v1/auth/logout': (granted) => {
      logOut(granted);
      return { status: 204 };
    },
    'PUT /api/v1/me/devices/': () => ({ status: 204 }),
    'DELETE /api/v1/me/devices/': () => ({ status: 204 }),
    'GET /api/v1/me': ({ session }) => ({ body: session.account }),
    'GET /api/v1/events': () => events(url.searchParams, channels),
  };
  const path = url.pathname.replace(/(?<=\/devices\/)[\w-]+$/, '');
  const route = authorized[`${method} ${path}`];
  if (!route) return null;
  return 'code' in access ? problem(401, access.code, 'Unauthorized') : route(access);
}

function logIn({ email, password }: Record<string, unknown>, sessions: Sessions): FakeAnswer {
  const session = sessions.logIn(email, password);
  if (!session) return problem(401, 'credentials_invalid', 'Unauthorized');
  return { body: { ...sessions.issue(session), account: session.account, device: 'device' } };
}

function refresh({ refresh_token }: Record<string, unknown>, sessions: Sessions): FakeAnswer {
  const session = sessions.refresh(refresh_token);
  if ('code' in session) return problem(401, session.code, 'Unauthorized');
  return { body: sessions.issue(session) };
}

function events(query: URLSearchParams, channels: Channels): FakeAnswer {
  const channel = query.get('channel') ?? '';
  const limit = Number(query.get('limit') ?? 20);
  const since = positionIn(query.get('since'));
  const found = since ? channels.after(channel, since, Infinity) : channels.latest(channel, limit);
  const page = (found ?? []).slice(0, limit);
  const head = channels.position(channel);
  const hasMore = page.length < (found ?? []).length;
  const position = hasMore ? { epoch: head.epoch, seq: page.at(-1)?.seq ?? 0 } : head;
  return { body: { events: page, position, recovered: found !== null, has_more: hasMore } };
}

function positionIn(text: string | null): Position | null {
  const [epoch, seq] = text?.split(':') ?? [];
  return epoch && seq ? { epoch, seq: Number(seq) } : null;
}
