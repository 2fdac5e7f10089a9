// The network between one browser context and a host: it can be cut, and be there again.

import { connect, createServer } from 'node:net';

/** Forwards a port of this machine to a host, byte by byte, until it is cut or closed. */
export class Network {
  #sockets = new Set();
  #isCut = false;
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
    if (this.#isCut) return void near.destroy();
    const far = connect(Number(port), hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      this.#sockets.add(one);
      one.on('error', () => {}).on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  /** Ends every connection, and refuses new ones. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  close() {
    this.cut();
    this.#server.close();
  }
}
