// The AWS SDK for JavaScript v3: Promise.all over as many sockets as posts go out at once.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';

const [url, posts, atOnce] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const body = readFileSync(new URL('body.json', import.meta.url));

const client = new ApiGatewayManagementApiClient({
  endpoint: url,
  maxAttempts: 1,
  requestHandler: {
    // Promise.all queues on purpose what the sockets do not take: no warning about it.
    socketAcquisitionWarningTimeout: 60_000,
    httpsAgent: new Agent({
      keepAlive: true,
      maxSockets: atOnce,
      ca: readFileSync(process.env.AWS_CA_BUNDLE),
    }),
  },
});

const connectionIds = (count) =>
  Array.from({ length: count }, (_, number) => {
    const digest = createHash('sha256').update(String(number)).digest();
    return `${digest.subarray(0, 11).toString('base64url')}=`;
  });

async function post(ConnectionId) {
  const { $metadata } = await client.send(new PostToConnectionCommand({ ConnectionId, Data: body }));
  if ($metadata.httpStatusCode !== 200) throw new Error(`answered with ${$metadata.httpStatusCode}`);
}

const postAll = (connections) => Promise.all(connections.map(post));

const connections = connectionIds(posts);
const warmUp = connectionIds(Math.max(4 * atOnce, Math.floor(posts / 4)));
await postAll(warmUp);
const started = performance.now();
const before = process.cpuUsage();
await postAll(connections);
const used = process.cpuUsage(before);
console.log(
  JSON.stringify({
    posts,
    seconds: (performance.now() - started) / 1e3,
    cpu_seconds: (used.user + used.system) / 1e6,
    warm_up: warmUp.length,
  }),
);
process.exit();
