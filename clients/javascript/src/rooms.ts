/** The rooms that the app wants to be in, and those that this connection is in. */

import { VitrinaError } from './errors.js';

const NAME = /^[\w.-]{1,64}$/;
const NAMES = 'The name of a room is 1 to 64 of A-Z a-z 0-9 _ . -';

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

interface Wish {
  isWanted: boolean;
  isIn: boolean;
  joining: Deferred | null;
  leaving: Deferred | null;
}

export interface RoomRequest {
  type: 'join' | 'leave';
  room: string;
}

export type Rooms = ReturnType<typeof createRooms>;

/** Requests are sent one at a time, so that it is clear which one an `error` answers. */
export function createRooms() {
  const rooms = new Map<string, Wish>();
  let awaited: string | null = null;

  /** Adds a room to the wanted ones. See `Room.join` for the promise. */
  function join(name: string): Promise<void> {
    if (!NAME.test(name)) {
      const error = new VitrinaError('message_invalid', `${NAMES}, and this is ${name}`);
      return Promise.reject(error);
    }
    const wish = rooms.get(name) ?? { isWanted: true, isIn: false, joining: null, leaving: null };
    rooms.set(name, wish);
    wish.isWanted = true;
    wish.leaving?.resolve(); // this join replaces a leave that was not answered yet
    wish.leaving = null;
    if (wish.isIn && awaited !== name) return Promise.resolve();
    wish.joining ??= defer();
    return wish.joining.promise;
  }

  /** Removes a room from the wanted ones. The promise resolves when no answer is awaited any more. */
  function leave(name: string): Promise<void> {
    const wish = rooms.get(name);
    if (!wish) return Promise.resolve();
    wish.isWanted = false;
    wish.joining?.reject(
      new VitrinaError('left', `The room ${name} was left before it was joined.`),
    );
    wish.joining = null;
    wish.leaving ??= defer();
    const { promise } = wish.leaving;
    if (!wish.isIn && awaited !== name) forget(name);
    return promise;
  }

  /** Returns the next request, whose answer is then awaited, or null. */
  function next(): RoomRequest | null {
    if (awaited !== null) return null;
    for (const [room, { isWanted, isIn }] of rooms) {
      if (isWanted === isIn) continue;
      awaited = room;
      return { type: isWanted ? 'join' : 'leave', room };
    }
    return null;
  }

  /** Handles the answer `joined` or `left`. */
  function answer(name: string, isIn: boolean): void {
    if (name === awaited) awaited = null;
    const wish = rooms.get(name);
    if (!wish) return;
    wish.isIn = isIn;
    if (isIn) {
      wish.joining?.resolve();
      wish.joining = null;
    } else if (!wish.isWanted) {
      forget(name);
    }
  }

  /** Removes the awaited room, because its request was refused; false if none is awaited. */
  function refuse(error: Error): boolean {
    if (awaited === null) return false;
    forget(awaited, error);
    awaited = null;
    return true;
  }

  /** The connection has ended, and has left its rooms. */
  function reset(): void {
    awaited = null;
    for (const [name, wish] of rooms) {
      wish.isIn = false;
      if (!wish.isWanted) forget(name);
    }
  }

  /** Removes all rooms. */
  function clear(error: Error): void {
    awaited = null;
    for (const name of rooms.keys()) forget(name, error);
  }

  /** Pending joins of the room reject with `error`. */
  function forget(name: string, error?: Error): void {
    const wish = rooms.get(name);
    if (error) wish?.joining?.reject(error);
    wish?.leaving?.resolve();
    rooms.delete(name);
  }

  return {
    ...{ join, leave, next, answer, refuse, reset, clear },
    /** Sends the awaited request again with the next one. */
    again: () => {
      awaited = null;
    },
    isAwaiting: () => awaited !== null,
    isWanted: (name: string) => rooms.get(name)?.isWanted === true,
  };
}

function defer(): Deferred {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}
