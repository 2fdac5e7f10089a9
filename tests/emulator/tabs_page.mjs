// An app in a page, for tabs.mjs: `app.told` has what its callbacks received.

import { Session, VitrinaClient } from '@vitrina/client';
import { browser } from '@vitrina/client/browser';

const url = location.origin;
const session = new Session({ url, secrets: localStorage });
const times = { firstRetryMs: 100, maxRetryMs: 500, saveDelayMs: 10 };
const client = new VitrinaClient({ url, as: 'user', tokens: session, platform: browser(), times });
const told = [];

client.onStatus(({ state, reason }) => told.push(reason ? `${state} ${reason}` : state));
client.onRefetch((channel) => told.push(`refetch ${channel}`));
client.onError((error) => told.push(`error ${error.code ?? error.message}`));
client.on('product.approved', ({ data }) => told.push(data.product_name));
client.on('announcement.published', ({ data }) => told.push(data.title));

window.app = {
  told,
  start: () => client.start(),
  logOut: () => client.logout(),
  async logIn(password) {
    await session.login('user@example.com', password);
    client.start();
  },
  join: (room) => client.room(room).join().then(() => told.push(`joined ${room}`)),
};
