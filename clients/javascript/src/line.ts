/** One socket, of which nothing is heard once it is closed. */

import type { Socket } from './types.js';

/** What the machine is told of a socket. */
export interface LineEvents {
  opened(): void;
  arrived(data: unknown): void;
  ended(): void;
}

export type Line = ReturnType<typeof createLine>;

export function createLine(socket: Socket, step: (act: () => void) => void, on: LineEvents) {
  let isOurs = true;

  function hear(act: () => void): void {
    step(() => {
      if (isOurs) act();
    });
  }

  const end = (): void => {
    hear(() => {
      on.ended();
    });
  };
  socket.onopen = () => {
    hear(() => {
      on.opened();
    });
  };
  socket.onmessage = ({ data }) => {
    hear(() => {
      on.arrived(data);
    });
  };
  // Both, as not every platform sends `close` after an `error`.
  socket.onerror = end;
  socket.onclose = end;

  /** Sends a message; one that cannot be sent is missed by whatever waits for its answer. */
  function send(message: object): void {
    try {
      if (socket.readyState === 1) socket.send(JSON.stringify(message));
    } catch {
      end(); // it says that it is open, and is not
    }
  }

  /**
   * Closes the socket, however often that takes: Android ignores `close()` during the handshake,
   * and the socket opens later.
   */
  function close(): void {
    isOurs = false;
    const again = (): void => {
      try {
        socket.close();
      } catch {
        // Closed already, or it will be when it opens.
      }
    };
    socket.onopen = again;
    socket.onmessage = again;
    again();
  }

  return { send, close };
}
