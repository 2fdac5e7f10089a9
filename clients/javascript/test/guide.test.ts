/** The guide's recipes, with the server in memory. */

import { createHttp, VitrinaClient } from '@vitrina/client';
import { FakeServer } from '@vitrina/client/testing';
import { expect, it } from 'vitest';

import { fetchEvents, joinSale } from './guide/recipes.js';

const DATA = { to: 'user', title: 'Sale', text: 'Now', admin_id: 1 };

function app(accounts?: ConstructorParameters<typeof FakeServer>[0]) {
  const server = new FakeServer(accounts);
  const tokens = server.tokens('user');
  const platform = server.platform();
  return { server, client: new VitrinaClient({ url: server.url, as: 'user', tokens, platform }) };
}

it('joins a room', async () => {
  const { client } = app();
  client.start();
  expect(await joinSale(client)).toBe('You get the announcements of the sale.');
  await client.stop();
});

it('fetches the events of all pages after a position', async () => {
  const { server, client } = app();
  const http = createHttp(client);
  const begun = await fetchEvents(http, 'user');
  for (let count = 0; count < 250; count += 1) await server.publish('announcement.published', DATA);
  const found = await fetchEvents(http, 'user', begun.since);
  expect(found.events.map(({ seq }) => seq)).toEqual(Array.from({ length: 250 }, (_, n) => n + 1));
  expect(await fetchEvents(http, 'user', found.since)).toEqual({ ...found, events: [] });
  server.renumber('user');
  expect(await fetchEvents(http, 'user', found.since)).toMatchObject({ isWhole: false });
});
