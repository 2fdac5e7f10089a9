// A management API that offers HTTP/2: answers 200 to every post, and prints a line for each
// connection. Arguments: a PEM file with key and certificate.
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';

const pem = readFileSync(process.argv[2]);
const server = createSecureServer({ key: pem, cert: pem });
server.on('session', (session) => console.log(`connection ${session.alpnProtocol}`));
server.on('stream', (stream) => {
  stream.resume();
  stream.on('end', () => {
    stream.respond({ ':status': 200 });
    stream.end();
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
