import { type AddressInfo, createServer, type Socket } from 'node:net';
import { FakeGuacd } from '../../fixtures/fake-guacd.js';
import { reportToParent } from './child.js';
import { type Payload, payloadOf } from './payloads.js';

/** A guacd that sends so many bytes of a payload as fast as they are taken, then closes. */
const [kind, total, handshake] = [process.argv[2] as Payload, Number(process.argv[3]), process.argv[4] === 'handshake'];
const block = payloadOf(kind);

function flood(socket: Socket): void {
  let sent = 0;
  const write = (): void => {
    while (sent < total) {
      sent += block.length;
      if (!socket.write(block)) {
        socket.once('drain', write);
        return;
      }
    }
    socket.end();
  };
  write();
}

if (handshake) reportToParent((await FakeGuacd.start(flood)).address);
else {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.resume();
    flood(socket);
  });
  server.listen(0, '127.0.0.1', () => reportToParent({ port: (server.address() as AddressInfo).port }));
}
