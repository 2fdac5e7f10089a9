/** One socket, whose `close()` may fail. */

import type { Socket } from './types.js';

/** The events of a socket that the machine handles. */
export interface LineEvents {
  readonly opened: (event: unknown) => void;
  readonly arrived: (data: unknown) => void;
  readonly ended: (event?: unknown) => void;
}

export type Line = ReturnType<typeof createLine>;

export function createLine(socket: Socket, { opened, arrived, ended }: LineEvents) {
  socket.onopen = opened;
  socket.onmessage = ({ data }) => {
    arrived(data);
  };
  // Both, as not every platform sends `close` after an `error`.
  socket.onerror = socket.onclose = ended;

  /** Sends a message, or drops it if the socket is not open: whatever awaits its answer times out. */
  function send(message: object): void {
    try {
      if (socket.readyState === 1) socket.send(JSON.stringify(message));
    } catch {
      ended(); // the socket reports that it is open, but it is not
    }
  }

  /**
   * Closes the socket, repeatedly if needed: Android ignores `close()` during the handshake, and the
   * socket opens later.
   */
  function close(): void {
    try {
      socket.onopen = socket.onmessage = close;
      socket.close();
    } catch {
      // Closed already, or closed again when it opens.
    }
  }

  return { send, close };
}
