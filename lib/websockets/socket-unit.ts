import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { SessionError } from '../core/session.errors';
import type { SessionInstances } from '../requests/session-instance';
import { SessionScope } from '../requests/session-scope';
import type { UnitOfWork } from '../requests/unit-of-work';
import type { Connection, RequestHeaders } from '../transports/session-transport';
import { bodyOf, type SocketClient } from './socket-frames';

interface SocketUse {
  readonly client: SocketClient;
  /** Those of the handshake. */
  readonly headers: RequestHeaders;
  readonly request: IncomingMessage;
  readonly open?: UnitOfWork['open'];
}

/** A handshake or a message of a socket as a unit of work. */
export class SocketUnit implements UnitOfWork {
  readonly scope: SessionScope;
  readonly request: UnitOfWork['request'];
  readonly obstacle = 'a socket carries no token; do it in an HTTP request, and connect again';
  readonly client: SocketClient;
  isOver = false;
  readonly open?: UnitOfWork['open'];
  readonly #handshake: IncomingMessage;

  constructor(instances: SessionInstances, { client, headers, request, open }: SocketUse) {
    this.request = { headers };
    this.client = client;
    if (open !== undefined) this.open = open;
    this.#handshake = request;
    this.scope = new SessionScope(instances, this, this.request);
  }

  get connection(): Connection {
    const { headers, socket } = this.#handshake;
    return { secure: (socket as TLSSocket).encrypted === true, host: headers.host };
  }

  get address(): string | undefined {
    return this.#handshake.socket.remoteAddress;
  }

  /** Saves what changes from here on by itself. */
  finish(): void {
    this.isOver = true;
    this.scope.finish();
  }

  begin(): boolean {
    return false;
  }

  translate(failure: SessionError): Error {
    return bodyOf(failure, { code: failure.code, message: 'Service Unavailable' });
  }
}
