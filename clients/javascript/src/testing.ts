/** A server in memory, for tests of apps: it answers a client as the real one does. */

import type { Account, ClientType, EventName, Events, Platform, Socket } from './types.js';
