/** Frames from a socket, validated. */

import type { components, EventName, Events } from './events.js';
import type { Position } from './types.js';

type Schemas = components['schemas'];

/** An event of a channel: one of `Events`, or one that a later version of the server adds. */
export type Published = Events[EventName];

export type Control =
  | Schemas['Connected']
  | Schemas['Recovered']
  | Schemas['Joined']
  | Schemas['Left']
  | Schemas['Authenticated']
  | Schemas['Closing']
  | Schemas['Error']
  | Schemas['Pong'];

export type Frame = Published | Control;

/** An untrusted object: the type of each of its properties is `unknown`. */
type Unknown = Record<string, unknown>;

const isObject = (value: unknown): value is Unknown => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Returns whether a value is a valid position of the protocol. */
export function isPosition(value: unknown): value is Position {
  return isObject(value) && isText(value['epoch']) && isCount(value['seq']);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function haveEach(value: unknown, isGood: (one: Unknown) => boolean): boolean {
  return isObject(value) && Object.values(value).every((one) => isObject(one) && isGood(one));
}

/** What the data of each control frame must have to be used. */
const CHECKS: Partial<Record<string, (data: Unknown) => boolean>> = {
  // Names of frames are looked up here, and `constructor` must not be found.
  __proto__: null as never,
  connected: ({ positions, recovering = [] }) =>
    haveEach(positions, isPosition) && Array.isArray(recovering),
  recovered: ({ channels }) =>
    haveEach(channels, (one) => isPosition(one) && typeof one['recovered'] === 'boolean'),
  joined: ({ room, channel, position }) => isText(room) && isText(channel) && isPosition(position),
  left: ({ room }) => isText(room),
  authenticated: isObject,
  closing: ({ reason }) => isText(reason),
  error: ({ code }) => isText(code),
};

/**
 * Returns the frames in a text, those of a batch one by one.
 * Frames that are not events are left out: API Gateway sends such frames, also empty ones, when a
 * function fails. An event that is not as documented is left out too, and `refuse` is called with its name.
 */
export function read(text: unknown, refuse: (name: string) => void): Frame[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(String(text));
  } catch {
    return [];
  }
  const isBatch =
    isObject(parsed) && parsed['event'] === 'batch' && Array.isArray(parsed['events']);
  const all: unknown[] = isBatch ? ((parsed as Unknown)['events'] as unknown[]) : [parsed];
  return all.filter((one): one is Frame => {
    if (!isObject(one) || !isText(one['event'])) return false;
    const isGood = isWellFormed(one);
    if (!isGood) refuse(one['event']);
    return isGood;
  });
}

function isWellFormed({ event, data, channel, seq }: Unknown): boolean {
  const check = CHECKS[event as string];
  if (check) return isObject(data) && check(data);
  // `pong`, and unknown frames of a later version that are not published in a channel.
  return seq === undefined || (isText(channel) && isCount(seq) && isObject(data));
}
