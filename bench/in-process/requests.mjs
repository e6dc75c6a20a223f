import { IncomingMessage, ServerResponse } from 'node:http';
import { Writable } from 'node:stream';

const CONNECTIONS = 10;
const PATHS = {
  untouched: '/untouched',
  anonymous: '/anonymous',
  read: '/read',
  write: '/write',
  'first write': '/first-write',
};

/** Asks an application without sockets, so that nothing but JavaScript is measured, and nothing of what the kernel does. */
export class Requests {
  #connections = Array.from({ length: CONNECTIONS }, connection);
  #server;

  constructor(app) {
    this.#server = app.getHttpServer();
  }

  /** So many requests, ten at a time, each of the ten with a session of its own where the route finds one. */
  async run(route, count) {
    const path = PATHS[route];
    let left = count;
    await Promise.all(
      this.#connections.map(async (each) => {
        if (route === 'read' || route === 'write') each.cookie ??= cookieOf(await this.#ask(each, '/begin'));
        const { cookie } = route === 'first write' || route === 'anonymous' ? {} : each;
        while (left-- > 0) {
          const answer = await this.#ask(each, path, cookie);
          if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer);
        }
      }),
    );
  }

  /** One request by itself. */
  async get(path, cookie) {
    const answer = await this.#ask(this.#connections[0], path, cookie);
    const [head, body] = answer.split('\r\n\r\n');
    const cookies = Array.from(head.matchAll(/^set-cookie: ([^;]*)/gim), ([, pair]) => pair);
    return { status: Number(head.split(' ')[1]), cookies, body };
  }

  #ask(socket, path, cookie) {
    return new Promise((resolve) => {
      const request = new IncomingMessage(socket);
      const headers = { host: 'localhost:3000', connection: 'keep-alive', ...(cookie && { cookie }) };
      Object.assign(request, { method: 'GET', url: path, httpVersion: '1.1', headers, complete: true });
      Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1 });
      request.push(null);
      const response = new ServerResponse(request);
      response.assignSocket(socket);
      response.on('finish', () => {
        response.detachSocket(socket);
        response.emit('close');
        const { text } = socket;
        socket.text = '';
        setImmediate(resolve, text);
      });
      this.#server.emit('request', request, response);
    });
  }
}

/** Takes what is written to it; bare applications begin no sessions, and are sent a cookie all the same. */
function connection() {
  const socket = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      socket.text += chunk.toString('latin1');
      done();
    },
  });
  return Object.assign(socket, { text: '', remoteAddress: '127.0.0.1' }).setMaxListeners(0);
}

function cookieOf(answer) {
  return /set-cookie: ([^;]*)/i.exec(answer)?.[1] ?? `__Host-session=${'b'.repeat(22)}.${'s'.repeat(43)}`;
}
