// The network between a browser and a host: it can be cut and restored, and can hold back frames of
// WebSockets.

import { connect, createServer } from 'node:net';

// `GET /ws/stats` is no WebSocket, and other requests follow it on its connection.
const WEBSOCKET = /^upgrade: websocket\r$/im;

/** Forwards a port of this machine to a host, byte by byte. */
export class Network {
  #ways = new Set();
  #isCut = false;
  #isHeld = false;
  #server;

  /** Returns the network to the host of a URL. */
  static async to(url) {
    const network = new Network();
    const { hostname, port } = new URL(url);
    network.#server = createServer((near) => network.#carry(near, hostname, port));
    await new Promise((listening) => network.#server.listen(0, '127.0.0.1', listening));
    network.url = `http://127.0.0.1:${network.#server.address().port}`;
    return network;
  }

  #carry(near, hostname, port) {
    const far = connect(Number(port), hostname);
    const way = { near, far, isWebSocket: false };
    this.#ways.add(way);
    const end = () => {
      this.#ways.delete(way);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
    near.once('data', (begin) => (way.isWebSocket = WEBSOCKET.test(begin.toString('latin1'))));
    near.pipe(far);
    far.on('data', (chunk) => {
      near.write(chunk);
      if (this.#isHeld && way.isWebSocket) far.pause();
    });
    if (this.#isCut) end();
  }

  /** Ends every connection, and refuses new ones. */
  cut() {
    this.#isCut = true;
    for (const { near } of this.#ways) near.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  /** Holds back frames of WebSockets until they are released. */
  hold() {
    this.#isHeld = true;
    for (const { far, isWebSocket } of this.#ways) if (isWebSocket) far.pause();
  }

  release() {
    this.#isHeld = false;
    for (const { far } of this.#ways) far.resume();
  }

  close() {
    this.cut();
    this.#server.close();
  }
}
