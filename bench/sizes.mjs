// The bytes that clients of several services add to an app for browsers, as JSON: node bench/sizes.mjs

import { readFile } from 'node:fs/promises';

import { measure } from '../clients/javascript/scripts/sizes.mjs';

const CLIENTS = [
  ['@vitrina/client', 'events', "export { VitrinaClient } from '@vitrina/client';"],
  ['@vitrina/client', 'with requests', "export { createHttp, VitrinaClient } from '@vitrina/client';"],
  [
    '@vitrina/client',
    'with requests and a session',
    "export { createHttp, Session, VitrinaClient } from '@vitrina/client';",
  ],
  [
    '@vitrina/client',
    'with all that, and one socket for all tabs',
    "export * from '@vitrina/client/browser'; export { createHttp, Session, VitrinaClient } from '@vitrina/client';",
  ],
  ['centrifuge', '', "export { Centrifuge } from 'centrifuge';"],
  ['phoenix', '', "export { Socket } from 'phoenix';"],
  ['@supabase/realtime-js', '', "export { RealtimeClient } from '@supabase/realtime-js';"],
  ['partysocket', 'reconnecting only', "export { WebSocket } from 'partysocket';"],
  ['ably', '', "export { Realtime } from 'ably';"],
  [
    'ably',
    'as few of its modules as connect',
    "export { BaseRealtime, FetchRequest, WebSocketTransport } from 'ably/modular';",
  ],
];

const ours = new URL('../clients/javascript/', import.meta.url).pathname;

async function versionOf(name) {
  const folder = name.startsWith('@vitrina/') ? ours : `${import.meta.dirname}/node_modules/${name}/`;
  return JSON.parse(await readFile(`${folder}package.json`, 'utf8')).version;
}

const rows = [];
for (const [name, what, code] of CLIENTS) {
  const folder = name.startsWith('@vitrina/') ? ours : import.meta.dirname;
  rows.push({ name, what, version: await versionOf(name), ...(await measure(code, folder)) });
}
console.log(JSON.stringify(rows));
