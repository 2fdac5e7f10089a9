/** The platform for Node. */

import type { Platform, Socket, Store } from './types.js';

/** The global WebSocket of Node 22 and newer, or that of the package `ws`. */
export type NodeWebSocket = new (
  url: string,
  options: { headers: Record<string, string> },
) => Socket;

/* The platform for Node, with Node's own WebSocket, or with that of the package `ws`, which Node 20 needs.
 *
 *     import WebSocket from 'ws';
 *     const platform = node({ WebSocket });
 *
 * The token is sent in the header `Authorization`. Throws if there is no WebSocket at all.
 */
export function node({
  WebSocket = globalThis.WebSocket as unknown as NodeWebSocket | undefined,
  store,
}: { WebSocket?: NodeWebSocket | undefined; store?: Store } = {}): Platform {
  if (!WebSocket) {
    throw new Error(
      'This Node has no WebSocket: install the package ws, and pass node({ WebSocket }).',
    );
  }
  return {
    openSocket: (address, token) =>
      new WebSocket(address, { headers: { Authorization: `Bearer ${token}` } }),
    fetch: (...request) => fetch(...request),
    ...(store && { store }),
  };
}
