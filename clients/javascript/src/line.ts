/** One socket, which may fail at being closed. */

import type { Socket } from './types.js';

/** What the machine is told of a socket. */
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

  /** Sends a message; one that cannot be sent is missed by whatever waits for its answer. */
  function send(message: object): void {
    try {
      if (socket.readyState === 1) socket.send(JSON.stringify(message));
    } catch {
      ended(); // it says that it is open, and is not
    }
  }

  /**
   * Closes the socket, however often that takes: Android ignores `close()` during the handshake,
   * and the socket opens later.
   */
  function close(): void {
    try {
      socket.onopen = socket.onmessage = close;
      socket.close();
    } catch {
      // Closed already, or it will be when it opens.
    }
  }

  return { send, close };
}
