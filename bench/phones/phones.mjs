// Many clients on bad networks: node phones.mjs, with URL, EMAILS, PASSWORD and CLIENTS in the environment.
//
// Writes a line of JSON whenever the number of clients that are online changes. A line of the input,
// {"user": SEQ, "room:sale": SEQ}, ends the trouble: when every client has reached these numbers, or
// after two minutes, the program writes what each client has received, and ends.

import { createInterface } from 'node:readline';

import { node, Session, VitrinaClient } from '@vitrina/client';

import { Network } from '../../harness/browser/network.mjs';

const { URL: HOST, PASSWORD } = process.env;
const EMAILS = process.env.EMAILS.split(',');
const CLIENTS = Number(process.env.CLIENTS);
const ROOM = 'sale';
const CHANNELS = ['user', `room:${ROOM}`];
const TROUBLE_MS = 1000; // between two troubles, of any client
const TROUBLE_LASTS_MS = 5000;
const BACKGROUND_LASTS_MS = 40_000; // longer and shorter than a socket is kept
const CATCH_UP_MS = 120_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const random = (ms) => Math.random() * ms;
const pick = (from) => from[Math.floor(Math.random() * from.length)];

function memory() {
  const items = new Map();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

/** A phone: its network, its store, and what its app has received in all its runs. */
class Phone {
  store = memory();
  secrets = memory();
  /** By channel: the number of the latest event that the app has received. */
  told = {};
  events = 0;
  repeated = 0;
  missing = 0;
  refetches = 0;
  onlines = 0;
  errors = {};

  static async bought(email) {
    const phone = new Phone();
    phone.network = await Network.to(HOST);
    phone.begin();
    await phone.session.login(email, PASSWORD);
    phone.client.start();
    return phone;
  }

  begin() {
    const { store, secrets } = this;
    const url = this.network.url;
    const platform = {
      ...node({ store }),
      watch: (hints) => {
        this.hints = hints;
        return () => undefined;
      },
    };
    // Tokens live for a minute here: with the times for an hour they would be exchanged at every request.
    const times = { renewAheadMs: 20_000 };
    this.session = new Session({ url, secrets, times });
    this.client = new VitrinaClient({ url, as: 'user', tokens: this.session, platform, times });
    this.client.on('*', (event) => this.take(event));
    this.client.onRefetch((channel) => {
      this.refetches += 1;
      delete this.told[channel];
    });
    this.client.onError(({ code, message }) => {
      this.errors[code ?? message] = (this.errors[code ?? message] ?? 0) + 1;
    });
    this.client.onStatus(({ state, reason }) => {
      if (state === 'online') this.onlines += 1;
      if (state === 'stopped' && reason !== 'asked') this.stopped = reason;
    });
    this.client.room(ROOM).join().catch(() => undefined);
  }

  take({ channel, seq }) {
    const before = this.told[channel] ?? seq - 1;
    this.events += 1;
    if (seq <= before) this.repeated += 1;
    else this.missing += seq - before - 1;
    this.told[channel] = Math.max(before, seq);
  }

  get isOnline() {
    return this.client.status.state === 'online';
  }

  /** Whether the phone has reached the given positions. */
  isAt(positions) {
    return CHANNELS.every((channel) => this.client.position(channel)?.seq === positions[channel]);
  }

  /** Ends the connection; the network comes back later. */
  async cut() {
    this.network.cut();
    await sleep(random(TROUBLE_LASTS_MS));
    this.network.mend();
  }

  /** Switches to another network, which the device reports. */
  async switch() {
    this.hints.offline();
    await this.cut();
    this.hints.online();
  }

  async hide() {
    this.hints.background();
    await sleep(random(BACKGROUND_LASTS_MS));
    this.hints.foreground();
  }

  /** Closes the app, and starts it again with its store. */
  async restart() {
    await this.client.stop();
    await sleep(random(TROUBLE_LASTS_MS));
    this.begin();
    this.client.start();
  }
}

const phones = [];
for (let n = 0; n < CLIENTS; n += 1) phones.push(await Phone.bought(EMAILS[n % EMAILS.length]));

const troubles = { cut: 0, switch: 0, hide: 0, restart: 0 };
const busy = new Set();
let isOver = false;
const troubleBegan = performance.now();

async function trouble() {
  while (!isOver) {
    await sleep(random(2 * TROUBLE_MS));
    const phone = pick(phones);
    if (busy.has(phone) || isOver) continue;
    const name = pick(Object.keys(troubles));
    troubles[name] += 1;
    busy.add(phone);
    void phone[name]().finally(() => busy.delete(phone));
  }
}

async function finish(positions) {
  isOver = true;
  const begun = performance.now();
  const lived = (begun - troubleBegan) / 1000;
  const isDone = () => busy.size === 0 && phones.every((phone) => phone.isOnline && phone.isAt(positions));
  while (!isDone() && performance.now() - begun < CATCH_UP_MS) await sleep(100);
  const found = phones.map(({ events, repeated, missing, refetches, onlines, errors, client, told, stopped }) => {
    return { events, repeated, missing, refetches, onlines, errors, state: client.status.state, told, stopped };
  });
  const seconds = (performance.now() - begun) / 1000;
  console.log(JSON.stringify({ done: isDone(), lived, seconds, troubles, phones: found }));
  process.exit();
}

let online = -1;
setInterval(() => {
  const now = phones.filter((phone) => phone.isOnline).length;
  if (now !== online) console.log(JSON.stringify({ online: (online = now) }));
}, 500);

void trouble();
for await (const line of createInterface({ input: process.stdin })) void finish(JSON.parse(line));
