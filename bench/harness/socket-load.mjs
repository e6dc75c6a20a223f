import { once } from 'node:events';
import { WebSocket } from 'ws';

/** Opens a socket for each cookie. */
export function connectAll(port, cookies) {
  return Promise.all(
    cookies.map(async (cookie) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { cookie } });
      await once(socket, 'open');
      return socket;
    }),
  );
}

/** Sends so many messages, one after the other on each socket. @throws Error for the first answer that says of a failure */
export async function loadSockets(sockets, message, count) {
  const text = JSON.stringify({ event: message, data: null });
  let left = count;
  await Promise.all(
    sockets.map(async (socket) => {
      while (left-- > 0) {
        const answered = once(socket, 'message');
        socket.send(text);
        const answer = String((await answered)[0]);
        if (!answer.startsWith('{"event":"done"')) throw new Error(`${message} was answered with ${answer}`);
      }
    }),
  );
}
