import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Redis Cluster nodes talk to each other on their port plus this. */
const BUS = 10_000;

/**
 * A port of 127.0.0.1 that nobody listens on, nor on its cluster bus. It is below those that systems give to outgoing
 * connections: such a one could occupy the port of a server that is down for a moment, or even connect to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 22_000);
    if ((await isFree(port)) && (await isFree(port + BUS))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
