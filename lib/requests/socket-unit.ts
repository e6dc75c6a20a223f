import type { SessionError } from '../core/session.errors';
import type { Connection, RequestHeaders } from '../transports/session-transport';
import type { SessionInstances } from './session-instance';
import { SessionScope } from './session-scope';
import type { UnitOfWork } from './unit-of-work';

/** A socket, as its door knows it. */
export interface Socket {
  /** The object that stands for it in handlers. */
  readonly client: object;
  /** Those of its handshake, and the tokens that its client sent in another way. */
  readonly headers: RequestHeaders;
  /** The request that opened it. */
  readonly request: {
    readonly headers: RequestHeaders & { readonly host?: string | undefined };
    readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean };
  };
  /** When it was opened, by the clock of the application, if its sessions are opened later. @default they are opened at once */
  readonly openedAt?: number | undefined;
  /** See {@link UnitOfWork.readOnly}. */
  readonly readOnly?: string;
  /** See {@link UnitOfWork.translate}. */
  translate(failure: SessionError): Error;
}

/** A handshake, a message or an operation of a socket as a unit of work. */
export class SocketUnit implements UnitOfWork {
  readonly scope: SessionScope;
  readonly headers: RequestHeaders;
  readonly obstacle = 'a socket carries no token; do it in an HTTP request, and connect again';
  isOver = false;
  readonly open?: UnitOfWork['open'];

  constructor(
    instances: SessionInstances,
    readonly socket: Socket,
    open?: UnitOfWork['open'],
  ) {
    this.headers = socket.headers;
    if (open !== undefined) this.open = open;
    this.scope = new SessionScope(instances, this, this);
  }

  get request(): this {
    return this;
  }

  get readOnly(): string | undefined {
    return this.socket.readOnly;
  }

  get connection(): Connection {
    const { headers, socket } = this.socket.request;
    return { secure: socket.encrypted === true, host: headers.host };
  }

  get address(): string | undefined {
    return this.socket.request.socket.remoteAddress;
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
    return this.socket.translate(failure);
  }
}
