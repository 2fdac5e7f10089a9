/** Clients of two tabs, on one socket. */

import { expect, it } from 'vitest';

import { VitrinaClient } from '../src/index.js';
import { TabSocket } from '../src/tabs.js';
import { FakeServer } from '../src/testing.js';

const DATA = { to: 'user', title: 'Sale', text: 'Now', admin_id: 1 };

it('recovers the room of one tab after all were offline', async () => {
  const server = new FakeServer();
  const tokens = server.tokens('user');
  const times = { firstRetryMs: 50, maxRetryMs: 100 };
  const received: Record<string, string[]> = { one: [], two: [] };
  const open = (name: string) => {
    const platform = {
      ...server.platform(),
      openSocket: (address: string, token: string) =>
        new TabSocket('shared', () => new server.WebSocket(address, ['bearer', token]) as never),
    };
    const client = new VitrinaClient({ url: server.url, as: 'user', tokens, platform, times });
    client.on('announcement.published', ({ data }) => received[name]?.push(data.title));
    client.onError((error) => received[name]?.push(String(error)));
    client.start();
    return client;
  };
  const [one, two] = [open('one'), open('two')];
  await expect.poll(() => [one.status.state, two.status.state]).toEqual(['online', 'online']);
  await two.room('sale').join();
  await server.publish('announcement.published', { ...DATA, to: 'room:sale', title: 'first' });
  await expect.poll(() => received['two']).toEqual(['first']);
  server.isReachable = false;
  await server.disconnect();
  await expect.poll(() => [one.status.state, two.status.state]).not.toContain('online');
  await server.publish('announcement.published', { ...DATA, title: 'missed' });
  await server.publish('announcement.published', {
    ...DATA,
    to: 'room:sale',
    title: 'of the room',
  });
  server.isReachable = true;
  await expect.poll(() => received['one'], { timeout: 4000 }).toEqual(['missed']);
  await expect
    .poll(() => [...(received['two'] ?? [])].sort(), { timeout: 4000 })
    .toEqual(['first', 'missed', 'of the room']);
  expect(server.connections).toHaveLength(1);
  await Promise.all([one.stop(), two.stop()]);
});
