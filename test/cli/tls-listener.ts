import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** What a server of MySQL 8 with TLS says first: protocol 10, all capabilities, and 21 bytes of salt. */
const GREETING_OF_MYSQL = Buffer.concat([
  Buffer.from('\x4a\0\0\0\x0a8.0.30\0\x01\0\0\0abcdefgh\0\xff\xff\x21\x02\0\xff\x0f\x15', 'latin1'),
  Buffer.from(`${'\0'.repeat(10)}ijklmnopqrst\0mysql_native_password\0`),
]);
const TLS_OF_MYSQL = 0x800;
const TLS_OF_POSTGRES = 80877103;

/**
 * A server that only looks whether its client asks for TLS, and closes the connection then.
 * @returns its port, and whether the first client has asked
 */
export async function tlsListener(kind: 'mysql' | 'postgres') {
  let resolve!: (asked: boolean) => void;
  const asked = new Promise<boolean>((done) => (resolve = done));
  const server = createServer((socket: Socket) => {
    socket
      .on('error', () => {})
      .once('data', (first) => {
        const flags = first.readUInt32LE(4);
        resolve(kind === 'mysql' ? (flags & TLS_OF_MYSQL) !== 0 : first.readUInt32BE(4) === TLS_OF_POSTGRES);
        socket.destroy();
      });
    if (kind === 'mysql') socket.write(GREETING_OF_MYSQL);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, asked, close: () => void server.close() };
}
