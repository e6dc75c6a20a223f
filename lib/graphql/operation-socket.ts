import { ForbiddenException } from '@nestjs/common';
import type { Delivery } from '../core/commit-outcome';
import type { Session } from '../core/session';
import { BoundSocket } from '../requests/bound-socket';
import { coded } from '../requests/coded';
import { admitsHandshake } from '../requests/request-origin';
import type { SessionInstance } from '../requests/session-instance';
import { SocketUnit, type Socket } from '../requests/socket-unit';
import { headersWithTokens } from './connection-params';
import { executionOf, isAsked, type ExecutionInfo, type OperationConnection } from './operation-context';

/** What graphql-ws calls "Forbidden". Its clients then connect again, by now with other tokens or none. After 4401 they would give up. */
const FORBIDDEN = 4403;

/** How long a client may take to close, in milliseconds. */
const CLOSE_TIMEOUT = 1000;

const UNTOLD: Delivery = Object.freeze({ reach: 'never', capacity: 0 });

const sockets = new WeakMap<object, OperationSocket>();

/** A socket of GraphQL: the sessions of the operations that come over it, and of the events of its subscriptions. */
export class OperationSocket {
  readonly #socket: Socket;
  readonly #bound: BoundSocket;
  /** By the contexts of operations, and by what is new for each execution. An application may use one context for all operations. */
  readonly #units = new WeakMap<object, WeakMap<object, SocketUnit>>();

  private constructor(
    private readonly connection: OperationConnection,
    translate: Socket['translate'],
  ) {
    const { instances, request, headers, openedAt } = connection.upgrade;
    this.#socket = {
      client: request.socket,
      headers: headersWithTokens(headers, connection.params, instances),
      request,
      openedAt,
      readOnly: 'operations over a socket are not committed. Send a mutation over HTTP',
      translate,
    };
    this.#bound = new BoundSocket(instances, this.#socket, () => this.#close('SESSION_ENDED'));
    if (request.socket.destroyed) this.#bound.end();
    else request.socket.once('close', () => this.#bound.end());
  }

  static of(connection: OperationConnection, translate: Socket['translate']): OperationSocket {
    const { request } = connection.upgrade;
    const socket = sockets.get(request) ?? new OperationSocket(connection, translate);
    sockets.set(request, socket);
    return socket;
  }

  /**
   * Returns the unit of work in which an operation, or an event of its subscription, is executed.
   * @param info without it, such as in the filter of a subscription, each call returns another unit, whose session is read anew
   */
  unit(context: object, info: ExecutionInfo | undefined): SocketUnit {
    const execution = info && executionOf(info);
    if (info === undefined || execution === undefined) return this.#newUnit(false);
    const units = this.#units.get(context) ?? new WeakMap<object, SocketUnit>();
    const unit = units.get(execution) ?? this.#newUnit(isAsked(info));
    this.#units.set(context, units.set(execution, unit));
    return unit;
  }

  #newUnit(isUse: boolean): SocketUnit {
    const unit = new SocketUnit(
      this.connection.upgrade.instances,
      this.#socket,
      (instance, arrivedAt, touches) => this.#open(instance, arrivedAt, touches && isUse),
    );
    // No commit follows.
    unit.isOver = true;
    return unit;
  }

  async #open(instance: SessionInstance, arrivedAt: number | undefined, touches: boolean): Promise<Session> {
    const { manager } = instance;
    if (this.#bound.isOver) return manager.find(null, arrivedAt, touches);
    // Browsers let every page open a socket to every site, with that site's cookies.
    if (!admitsHandshake(this.connection.upgrade.headers, instance)) throw this.#refuse();
    const session = await this.#bound.open(instance, arrivedAt, touches);
    // Its use is noted now.
    if (touches && !session.isNew) await manager.commit(session, UNTOLD);
    return session;
  }

  #refuse(): ForbiddenException {
    this.#bound.end();
    this.#close('CSRF_REFUSED');
    const message = 'The socket was opened by a page of another origin';
    return coded(
      new ForbiddenException({ statusCode: 403, error: 'Forbidden', code: 'CSRF_REFUSED', message }),
    );
  }

  /** Lets the answer to the present operation go first. */
  #close(reason: string): void {
    const { connection } = this;
    const { socket } = connection.upgrade.request;
    setImmediate(() => {
      const client = connection.client();
      if (client === undefined) return socket.destroy();
      client.close(FORBIDDEN, reason);
      return setTimeout(() => socket.destroy(), CLOSE_TIMEOUT).unref();
    });
  }
}
