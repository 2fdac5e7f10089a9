// How long clients take from loading their code until events arrive, as JSON: node bench/starts.mjs
//
// Each start is a new process of Node that loads one bundle, made for browsers. The servers here implement the part of
// each protocol that a start needs, and answer immediately: only the client and its round trips are measured. With
// VITRINA_URL and VITRINA_TOKEN in the environment, Vitrina's client also connects to a deployed stack.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { bundle } from '../clients/javascript/scripts/sizes.mjs';

const ours = new URL('../clients/javascript/', import.meta.url).pathname;
const { WebSocketServer } = createRequire(ours)('ws');

const REPETITIONS = 15;
const TIMEOUT_MS = 20_000;

const { VITRINA_URL, VITRINA_TOKEN } = process.env;

/** By package: the code of an app, what its server sends first, and what it answers to a message. */
const CLIENTS = {
  '@vitrina/client': {
    code: `
      import { node, VitrinaClient } from '@vitrina/client';
      const tokens = { get: () => TOKEN };
      const client = new VitrinaClient({ url: 'http://' + HOST, as: 'user', tokens, platform: node() });
      client.onStatus(({ state }) => state === 'online' && online());
      client.start();`,
    greeting: {
      event: 'connected',
      timestamp: '2026-01-01T00:00:00Z',
      data: {
        connection_id: 'L0SM9cOFvHcCIhw=',
        client_type: 'user',
        expires_at: '2026-01-01T01:00:00Z',
        ping_interval_seconds: 240,
        positions: { user: { epoch: '3f0c9a1e', seq: 57 }, 'user:1': { epoch: 'b71d0c55', seq: 0 } },
        recovering: [],
      },
    },
  },
  centrifuge: {
    code: `
      import { Centrifuge } from 'centrifuge';
      const client = new Centrifuge('ws://' + HOST, { token: TOKEN });
      client.newSubscription('user').on('subscribed', online).subscribe();
      client.connect();`,
    answer: ({ id, connect }) =>
      connect ? { id, connect: { client: 'bench', version: '0', ping: 25, pong: true } } : { id, subscribe: {} },
  },
  phoenix: {
    code: `
      import { Socket } from 'phoenix';
      const socket = new Socket('ws://' + HOST, { params: { token: TOKEN } });
      socket.connect();
      socket.channel('user').join().receive('ok', online);`,
    answer: joined,
  },
  '@supabase/realtime-js': {
    code: `
      import { RealtimeClient } from '@supabase/realtime-js';
      const client = new RealtimeClient('ws://' + HOST, { params: { apikey: TOKEN } });
      client.channel('user').subscribe((status) => status === 'SUBSCRIBED' && online());`,
    answer: joined,
  },
  partysocket: {
    code: `
      import { WebSocket as Reconnecting } from 'partysocket';
      new Reconnecting('ws://' + HOST + '?token=' + TOKEN).addEventListener('open', online);`,
  },
  ably: {
    code: `
      import { Realtime } from 'ably';
      const [endpoint, port] = HOST.split(':');
      const authCallback = (_, done) => done(null, TOKEN);
      const client = new Realtime({ authCallback, endpoint, port: Number(port), tls: false });
      client.channels.get('user').attach().then(online);`,
    greeting: {
      action: 4, // CONNECTED
      connectionId: 'bench',
      connectionDetails: { connectionKey: 'bench', maxIdleInterval: 15_000, connectionStateTtl: 120_000 },
    },
    // ATTACHED, to an ATTACH
    answer: ({ action, channel }) => (action === 10 ? { action: 11, channel, flags: 0 } : undefined),
  },
};

/** The reply of Phoenix to a join; Supabase has its protocol. */
function joined([joinRef, ref, topic]) {
  return [joinRef, ref, topic, 'phx_reply', { status: 'ok', response: {} }];
}

/** Returns a server that is listening. */
async function serve({ greeting, answer }) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    const send = (message) => message && socket.send(JSON.stringify(message));
    send(greeting);
    socket.on('message', (data) => {
      // Centrifuge may write several messages into a frame, each on its line.
      for (const line of String(data).trim().split('\n')) send(answer?.(JSON.parse(line)));
    });
  });
  await once(server, 'listening');
  return server;
}

/** Returns the milliseconds of one start; throws if the client does not get online. */
async function start({ name, where, file, host, token }) {
  const code = `
    globalThis.HOST = ${JSON.stringify(host)};
    globalThis.TOKEN = ${JSON.stringify(token)};
    globalThis.online = () => {
      console.log(performance.now() - began);
      process.exit();
    };
    WebSocket; // pages have it already, and Node loads it at its first use
    const began = performance.now();
    await import(${JSON.stringify(file)});`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { timeout: TIMEOUT_MS });
  const { stdout, stderr } = await run.catch((error) => error);
  const ms = Number.parseFloat(stdout.trim().split('\n').at(-1)); // Ably writes a line before
  if (Number.isNaN(ms)) {
    throw new Error(`${name} did not get online within ${TIMEOUT_MS / 1000} s (${where}). ${stderr.slice(-500)}`);
  }
  return ms;
}

const folder = await mkdtemp(join(tmpdir(), 'starts-'));
try {
  const servers = [];
  const starts = [];
  for (const [name, client] of Object.entries(CLIENTS)) {
    const isOurs = name.startsWith('@vitrina/');
    const file = join(folder, `${servers.length}.mjs`);
    await writeFile(file, await bundle(client.code, isOurs ? ours : import.meta.dirname));
    const server = await serve(client);
    servers.push(server);
    const host = `127.0.0.1:${server.address().port}`;
    starts.push({ name, where: 'answers immediately', file, host, token: 'token', ms: [] });
    if (isOurs && VITRINA_URL) {
      const { host: deployed } = new URL(VITRINA_URL);
      starts.push({ name, where: 'local stack', file, host: deployed, token: VITRINA_TOKEN, ms: [] });
    }
  }
  // They take turns. The first start of each reads files from the disk, and is left out.
  for (let n = 0; n <= REPETITIONS; n += 1) {
    for (const each of starts) {
      const ms = await start(each);
      if (n > 0) each.ms.push(ms);
    }
  }
  for (const server of servers) server.close();
  console.log(JSON.stringify(starts.map(({ name, where, ms }) => ({ name, where, ms }))));
} finally {
  await rm(folder, { recursive: true });
}
