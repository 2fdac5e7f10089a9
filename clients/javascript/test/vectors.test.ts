/** The conformance vectors, which clients in other languages run too. */

import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createApp, pass, type FakeSocket, type Json } from './app.js';

interface Step {
  do: string;
  positions?: string;
  frame?: Json | string;
  room?: string;
  token?: string | null;
  fresh?: boolean;
  seconds?: number;
  send?: Json[];
  later?: Json[];
  events?: string[];
  refetch?: string[];
  state?: string;
  reason?: string;
  sockets?: number;
}

interface Case {
  name: string;
  steps: Step[];
  positions?: Record<string, Json>;
}

const read = (name: string): Case[] =>
  JSON.parse(
    readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'),
  ) as Case[];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('recovery', () => {
  test.each(read('recovery'))('$name', async ({ steps, positions }) => {
    const app = createApp();
    let here: FakeSocket | undefined;
    for (const step of steps) {
      const [events, refetches] = [app.events.length, app.refetches.length];
      if (step.do === 'connect') {
        if (!here) app.client.start();
        here?.end();
        here = await app.accept();
        expect(here.address.split('&positions=')[1] ?? '').toBe(step.positions);
      } else if (step.do === 'receive') {
        here?.receive(step.frame ?? '');
      } else {
        const room = app.client.room(step.room ?? '');
        void (step.do === 'join' ? room.join() : room.leave());
      }
      expect(here?.take()).toEqual(step.send ?? []);
      if (step.later) {
        const { data } = step.frame as { data: { retry_after: number | null } };
        await pass((data.retry_after ?? 0) * 1000);
        expect(here?.take()).toEqual([]);
        await pass(1000);
        expect(here?.take()).toEqual(step.later);
      }
      const received = app.events
        .slice(events)
        .map(({ channel, seq }) => `${String(channel)}:${String(seq)}`);
      expect(received).toEqual(step.events ?? []);
      expect(app.refetches.slice(refetches)).toEqual(step.refetch ?? []);
      if (step.state) expect(app.client.status.state).toBe(step.state);
    }
    for (const [channel, position] of Object.entries(positions ?? {})) {
      expect(app.client.position(channel)).toEqual(position);
    }
    expect(app.errors).toEqual([]);
  });
});

describe('states', () => {
  test.each(read('states'))('$name', async ({ steps }) => {
    const waiting: ((token: string | null) => void)[] = [];
    const app = createApp({ get: () => new Promise((resolve) => waiting.push(resolve)) });
    for (const step of steps) {
      const { hints } = step.do in HINTS ? app : { hints: null };
      const here = app.sockets.at(-1);
      if (step.do === 'start') app.client.start();
      else if (step.do === 'stop') await app.client.stop();
      else if (step.do === 'token') waiting.at(-1)?.(step.token ?? null);
      else if (step.do === 'open') here?.open();
      else if (step.do === 'end') here?.end();
      else if (step.do === 'receive') here?.receive(step.frame ?? '');
      else if (step.do === 'wait') await pass((step.seconds ?? 0) * 1000);
      else hints?.[step.do as keyof typeof HINTS]();
      await pass();
      if (step.fresh !== undefined) expect(app.asked.at(-1)).toBe(step.fresh);
      const { state, reason } = app.client.status as { state: string; reason?: string };
      expect({ ...step, state, reason }).toEqual({ reason: undefined, ...step });
      if (step.sockets !== undefined) expect(app.live).toHaveLength(step.sockets);
      expect(app.sockets.at(-1)?.sent.splice(0) ?? []).toEqual(step.send ?? []);
    }
  });
});

const HINTS = { foreground: 0, background: 0, online: 0, offline: 0 };
