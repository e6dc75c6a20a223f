import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/**
 * Browsers open connections ahead of need, and Node takes one that has never sent anything for a busy one: a shutdown would wait a
 * minute for it. Nest's `forceCloseConnections` would end requests in flight as well; this ends the unused connections alone.
 */
@Injectable()
export class UnusedConnections implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #unused = new Set<Socket>();
  #closing = false;

  constructor(private readonly host: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    server.on('connection', (socket: Socket) => {
      if (this.#closing) return void socket.destroy();
      this.#unused.add(socket);
      socket.once('close', () => this.#unused.delete(socket));
    });
    server.on('request', ({ socket }) => this.#unused.delete(socket));
  }

  beforeApplicationShutdown(): void {
    this.#closing = true;
    for (const socket of this.#unused) socket.destroy();
  }
}
