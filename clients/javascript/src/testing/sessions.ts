/** Accounts and their sessions. */

import type { Account, ClientType } from '../types.js';

/** An account that may log in. */
export interface FakeAccount extends Account {
  readonly password: string;
}

/** The accounts of the local cloud; the password of each is `password`. */
export const ACCOUNTS: readonly FakeAccount[] = (['admin', 'user', 'shop'] as const).map(
  (client_type, index) => ({
    id: index + 1,
    client_type,
    email: `${client_type}@example.com`,
    password: 'password',
    ...(client_type === 'shop' && { shop_id: 10, shop_name: 'Fashion Store' }),
  }),
);

export interface Session {
  readonly id: string;
  readonly account: Account;
  /** The current refresh token, and the previous one, for a lost answer. */
  refreshTokens: string[];
}

/** The account of an access token, or the code of a refusal. */
export type Access = Granted | { code: string };

export interface Granted {
  session: Session;
  expiresAt: number;
}

export class Sessions {
  /** The lifetime of an access token. */
  lifetimeSeconds = 3600;

  readonly #accounts: readonly FakeAccount[];
  readonly #sessions = new Map<string, Session>();
  readonly #access = new Map<string, Granted>();
  #made = 0;

  constructor(accounts: readonly FakeAccount[]) {
    this.#accounts = accounts;
  }

  of(clientType: ClientType): FakeAccount {
    const found = this.#accounts.find((account) => account.client_type === clientType);
    if (!found) throw new Error(`This server has no account of type ${clientType}.`);
    return found;
  }

  /** Begins a session, or returns `null` if the password is wrong. */
  logIn(email: unknown, password: unknown): Session | null {
    const found = this.#accounts.find((each) => each.email === email && each.password === password);
    return found ? this.begin(found) : null;
  }

  begin(found: FakeAccount): Session {
    const account = { ...found, password: undefined };
    const session = { id: this.#name('session'), account, refreshTokens: [] };
    this.#sessions.set(session.id, session);
    return session;
  }

  /** The tokens that login and refresh return. */
  issue(session: Session) {
    const refreshToken = this.#name(
      `${session.account.client_type}:${String(session.account.id)}.refresh`,
    );
    session.refreshTokens = [refreshToken, ...session.refreshTokens];
    return {
      access_token: this.accessToken(session),
      token_type: 'bearer',
      expires_in: this.lifetimeSeconds,
      refresh_token: refreshToken,
      refresh_expires_in: 5_184_000,
    };
  }

  accessToken(session: Session): string {
    const expiresAt = Date.now() + this.lifetimeSeconds * 1000;
    const claims = {
      sub: String(session.account.id),
      client_type: session.account.client_type,
      sid: session.id,
      exp: Math.floor(expiresAt / 1000),
    };
    const token = [{ alg: 'none' }, claims, this.#name('signature')].map(base64url).join('.');
    this.#access.set(token, { session, expiresAt });
    return token;
  }

  /** The session of a refresh token, or the code of a refusal. */
  refresh(refreshToken: unknown): Session | { code: string } {
    for (const session of this.#sessions.values()) {
      const age = session.refreshTokens.indexOf(String(refreshToken));
      if (age > 1) this.end(session.id);
      if (age > 1) return { code: 'refresh_token_reused' };
      if (age !== -1) return session;
    }
    return { code: typeof refreshToken === 'string' ? 'session_ended' : 'refresh_token_invalid' };
  }

  check(token: string | null): Access {
    const access = this.#access.get(token ?? '');
    if (!access) return { code: token ? 'token_invalid' : 'token_missing' };
    if (!this.#sessions.has(access.session.id)) return { code: 'token_revoked' };
    return access.expiresAt > Date.now() ? access : { code: 'token_expired' };
  }

  /** Expires all present access tokens. */
  expire(): void {
    for (const access of this.#access.values()) access.expiresAt = 0;
  }

  /** The session that a token was issued for. */
  idOf(token: string | null): string | undefined {
    return this.#access.get(token ?? '')?.session.id;
  }

  end(id: string): void {
    this.#sessions.delete(id);
  }

  endAll(): void {
    this.#sessions.clear();
  }

  #name(prefix: string): string {
    this.#made += 1;
    return `${prefix}.${String(this.#made)}`;
  }
}

function base64url(part: unknown): string {
  const text = btoa(JSON.stringify(part));
  return text.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
