/** The session of this tab: the access token in memory, the refresh token in `sessionStorage`. */

import { createHttp, Session, VitrinaClient, type Account, type Status } from '@vitrina/client';
import { browser } from '@vitrina/client/browser';
import { signal } from '@preact/signals';
import { kept } from './preferences';
import { Workspace } from './workspace';

/** The reason for which the login is shown: none, or a sentence of `texts.login`. */
export type Notice = 'ended' | 'copied' | null;

export const workspace = signal<Workspace | null>(null);
export const notice = signal<Notice>(null);
/** False until it is known whether this tab has a session. */
export const isReady = signal(false);

const LOCK_PATIENCE_MS = 1500;
const LOCK_RETRY_MS = 100;
const ENDED: readonly string[] = ['login_required', 'account_disconnected'];

const tab = kept('tab', 'sessionStorage');

/** The proof of the device outlives the tab; the session does not. */
const secrets = {
  getItem: (key: string) => placeOf(key).getItem(key),
  setItem: (key: string, text: string) => placeOf(key).setItem(key, text),
  removeItem: (key: string) => placeOf(key).removeItem(key),
};

function placeOf(key: string): Storage {
  return key.endsWith('.device') ? window.localStorage : window.sessionStorage;
}

const session = new Session({ url: location.origin, secrets, storageKey: 'vitrina.console' });

/** Continues the session of this tab, if it has one. */
export async function restore(): Promise<void> {
  const name = tab.read();
  if (name && !(await isOnly(name))) {
    // The refresh token belongs to the tab that this one was copied from.
    window.sessionStorage.clear();
    notice.value = 'copied';
  }
  const account = await session.account().catch(() => null);
  if (account) enter(account);
  isReady.value = true;
}

/** Begins a session; rejects with the error that the page shows. */
export async function logIn(email: string, password: string): Promise<void> {
  const name = crypto.randomUUID();
  const account = await session.login(email, password, { deviceName: 'Vitrina console' });
  tab.write(name);
  await isOnly(name);
  notice.value = null;
  enter(account);
}

export async function logOut(reason: Notice = null): Promise<void> {
  const left = workspace.peek();
  workspace.value = null;
  notice.value = reason;
  left?.stop();
  await left?.live.client.logout();
}

function enter(account: Account): void {
  const platform = browser({ isShared: false, staysHidden: true });
  // Lists are read again when the page starts, so positions are not stored.
  delete platform.store;
  const client = new VitrinaClient({
    url: location.origin,
    as: account.client_type,
    tokens: session,
    platform,
  });
  const entered = new Workspace(client, createHttp(client), account);
  workspace.value = entered;
  const look = () => (entered.live.hasNetwork.value = navigator.onLine);
  for (const name of ['online', 'offline']) {
    window.addEventListener(name, look, { signal: entered.left.signal });
  }
  look();
  client.onStatus(leaveWhenEnded);
  client.start();
}

function leaveWhenEnded(status: Status): void {
  if (status.state === 'stopped' && ENDED.includes(status.reason)) void logOut('ended');
}

/** Returns whether no other tab has this name, and locks the name while this page is open. */
async function isOnly(name: string): Promise<boolean> {
  if (!('locks' in navigator)) return true;
  const deadline = Date.now() + LOCK_PATIENCE_MS;
  do {
    const isHeld = await new Promise<boolean>((resolve) => {
      void navigator.locks.request(`vitrina.console.${name}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise(() => undefined) : undefined;
      });
    });
    if (isHeld) return true;
    // After a reload the lock of the former page may not be released yet.
    await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
  } while (Date.now() < deadline);
  return false;
}
