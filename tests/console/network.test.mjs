// The network of these tests: what it holds, and what it lets pass.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { test } from 'node:test';

import { Network } from '../../harness/browser/network.mjs';

test('a network that holds WebSockets lets every request pass, also behind one for /ws/stats', async () => {
  const server = createServer((request, response) => response.end(request.url));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const network = await Network.to(`http://127.0.0.1:${server.address().port}`);
  // One connection for both requests.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const paths = ['/ws/stats', '/api/v1/settings'];
    const answers = [];
    for (const path of paths) {
      const [response] = await once(get(network.url + path, { agent, signal: AbortSignal.timeout(10_000) }), 'response');
      answers.push((await response.toArray()).join(''));
      network.hold();
    }
    assert.deepEqual(answers, paths);
  } finally {
    agent.destroy();
    network.close();
    server.close();
    server.closeAllConnections();
  }
});
