import { once } from 'node:events';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { App } from '../support/app';

/** What came back for a message. */
export interface Frame {
  readonly event: string;
  readonly data: unknown;
}

/** A client of a gateway. */
export interface SocketClient {
  /** Sends a message, and resolves with the next frame. */
  ask(event: string, data?: unknown): Promise<Frame>;
  /** Resolves when the server has closed the socket, with how it did so. */
  readonly closed: Promise<string>;
  close(): void;
}

export interface Handshake {
  readonly headers?: Readonly<Record<string, string>>;
  /** For socket.io. */
  readonly auth?: Readonly<Record<string, string>>;
}

/** A kind of gateways, and how its clients connect. */
export interface SocketKind {
  readonly name: string;
  readonly adapter: (app: App) => IoAdapter | WsAdapter;
  /** How the server closes a socket whose login has ended. */
  readonly ending: string;
  /** How it closes one whose session it could not read. */
  readonly failing: string;
  /** @throws when the handshake is refused */
  connect(url: string, handshake: Handshake): Promise<SocketClient>;
}

export const socketKinds: readonly SocketKind[] = [
  {
    name: 'socket.io',
    adapter: (app) => new IoAdapter(app),
    ending: 'io server disconnect',
    failing: 'transport close',
    async connect(url, { headers, auth }) {
      const socket = io(url, {
        ...{ transports: ['websocket'], reconnection: false, forceNew: true },
        ...(headers && { extraHeaders: headers }),
        ...(auth && { auth }),
      });
      const closed = new Promise<string>((resolve) => socket.once('disconnect', resolve));
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('connect_error', reject);
      });
      const ask = (event: string, data: unknown): Promise<Frame> =>
        new Promise((resolve) => {
          socket.onAny((name: string, received: unknown) => {
            socket.offAny();
            resolve({ event: name, data: received });
          });
          socket.emit(event, data);
        });
      return { ask, closed, close: () => socket.disconnect() };
    },
  },
  {
    name: 'ws',
    adapter: (app) => new WsAdapter(app),
    ending: '4401 SESSION_ENDED',
    failing: '1013 SESSION_STORE_UNAVAILABLE',
    async connect(url, { headers }) {
      const socket = new WebSocket(url.replace('http:', 'ws:'), { headers: headers ?? {} });
      const closed = new Promise<string>((resolve) =>
        socket.once('close', (code, reason) => resolve(`${code} ${String(reason)}`)),
      );
      await once(socket, 'open');
      const ask = async (event: string, data: unknown): Promise<Frame> => {
        const answered = once(socket, 'message');
        socket.send(JSON.stringify({ event, data }));
        return JSON.parse(String((await answered)[0])) as Frame;
      };
      return { ask, closed, close: () => socket.close() };
    },
  },
];
