import { IncomingMessage, ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { CONNECTIONS, cookieFrom, PROXY } from '../harness/load.mjs';
import { traitsOf } from '../harness/traits.mjs';
import { Visit } from '../harness/visit.mjs';

/**
 * A subject in this process, asked without sockets, so that nothing but JavaScript is measured, and nothing of what the kernel does. What it
 * takes to ask and to look at the answers is in every figure alike.
 */
export class Requests {
  #connections = Array.from({ length: CONNECTIONS }, connection);
  #server;

  constructor(app, subject) {
    this.#server = app.getHttpServer();
    this.name = 'the subject';
    this.traits = traitsOf(subject);
  }

  /** @param subject a module below bench/subjects */
  static async start(subject, platform, options) {
    const app = await subject.start(platform, options);
    await app.init();
    if (platform === 'fastify') await app.getHttpAdapter().getInstance().ready();
    return new Requests(app, subject);
  }

  visit(route) {
    return new Visit(this, route);
  }

  /** One request by itself, on a connection of its own. */
  get(path, cookie) {
    return this.#ask(connection(), path, cookie);
  }

  /** As over sockets: see `load`. */
  async load(path, { requests, cookies = [], follow = false, checkHead, checkBody }) {
    let left = requests;
    await Promise.all(
      this.#connections.map(async (connection, i) => {
        while (left-- > 0) {
          const answer = await this.#ask(connection, path, cookies[i]);
          const wrong = checkHead(answer.status, answer.cookies) ?? checkBody(answer.body);
          if (wrong !== undefined) throw new Error(wrong);
          if (follow && answer.cookies.length > 0) cookies[i] = cookieFrom(answer.cookies);
        }
      }),
    );
  }

  cpu() {
    const { user, system } = process.cpuUsage();
    return user + system;
  }

  #ask(socket, path, cookie) {
    return new Promise((resolve) => {
      const request = new IncomingMessage(socket);
      const headers = {
        host: 'localhost:3000',
        connection: 'keep-alive',
        ...PROXY,
        ...(cookie && { cookie }),
      };
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
        setImmediate(() => resolve(answerIn(text)));
      });
      this.#server.emit('request', request, response);
    });
  }
}

/** Takes what is written to it. */
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

const SET_COOKIE = /^set-cookie: (.*)$/gim;

function answerIn(text) {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  const cookies = [];
  for (const [, line] of head.matchAll(SET_COOKIE)) cookies.push(line);
  return { status: Number(head.slice(9, 12)), cookies, body: text.slice(end + 4) };
}
