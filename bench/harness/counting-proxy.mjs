import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * Stands between a client and a database server, and counts what the client asks of it.
 * @param kind `postgres` or `redis`
 * @returns the `url` of the same server through it, what was `counted` so far, and `stop`
 */
export async function countAskedOf(kind, url) {
  let counted = 0;
  const target = new URL(url);
  const sockets = new Set();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const count = readers[kind](() => counted++);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(socket.setNoDelay());
      socket.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    client.on('data', count).pipe(upstream).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.host = `127.0.0.1:${server.address().port}`;
  return {
    url: through.href,
    counted: () => counted,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const CRLF = '\r\n';

const readers = {
  /** Commands: `*2`, then as many times `$3` and three bytes, each line ended. */
  redis: (onCommand) =>
    reader((bytes) => {
      const lineAt = (start) => bytes.indexOf(CRLF, start);
      let end = lineAt(0);
      if (end < 0) return 0;
      let parts = Number(bytes.toString('latin1', 1, end));
      for (; parts > 0; parts--) {
        const start = end + CRLF.length;
        const line = lineAt(start);
        if (line < 0) return 0;
        end = line + CRLF.length + Number(bytes.toString('latin1', start + 1, line));
      }
      if (end + CRLF.length > bytes.length) return 0;
      onCommand();
      return end + CRLF.length;
    }),
  /** Statements: a simple query, or the execution of a prepared one. The first message has no type. */
  postgres: (onStatement) => {
    let typed = 0;
    return reader((bytes) => {
      if (bytes.length < typed + 4) return 0;
      const end = typed + bytes.readUInt32BE(typed);
      if (end > bytes.length) return 0;
      if (typed === 1 && 'QE'.includes(String.fromCharCode(bytes[0]))) onStatement();
      typed = 1;
      return end;
    });
  },
};

/** Reads message after message; `take` tells the bytes of the first one, or 0 while it is not complete. */
function reader(take) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let taken = 1; rest.length > 0 && taken > 0; rest = rest.subarray(taken)) taken = take(rest);
  };
}
