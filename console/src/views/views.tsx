/** The views of each type of account. */

import type { ClientType } from '@vitrina/client';
import type { FunctionComponent } from 'preact';
import { Accounts } from './accounts';
import { Announcements } from './announcements';
import { Feed } from './feed';
import { Numbers } from './numbers';
import { Products, Queue } from './products';
import { Settings } from './settings';
import { Shop } from './shop';

export type ViewName =
  'queue' | 'products' | 'feed' | 'announcements' | 'accounts' | 'settings' | 'numbers' | 'mine';

interface Entry {
  readonly title: Exclude<ViewName, 'mine'>;
  readonly View: FunctionComponent;
}

export const VIEWS: Record<ViewName, Entry> = {
  queue: { title: 'queue', View: Queue },
  products: { title: 'products', View: Products },
  mine: { title: 'products', View: Shop },
  feed: { title: 'feed', View: Feed },
  numbers: { title: 'numbers', View: Numbers },
  announcements: { title: 'announcements', View: Announcements },
  accounts: { title: 'accounts', View: Accounts },
  settings: { title: 'settings', View: Settings },
};

export const VIEWS_OF: Record<ClientType, readonly ViewName[]> = {
  admin: ['queue', 'feed', 'products', 'announcements', 'accounts', 'settings', 'numbers'],
  shop: ['mine', 'feed'],
  user: [],
};

/** Returns the view of an address, or the first one of this type of account. */
export function viewFor(type: ClientType, wanted: string): ViewName {
  const allowed = VIEWS_OF[type];
  return allowed.find((each) => each === wanted) ?? allowed[0] ?? 'feed';
}
