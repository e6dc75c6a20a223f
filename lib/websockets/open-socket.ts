import type { IncomingMessage } from 'node:http';
import {
  Observable,
  concat,
  concatMap,
  defer,
  finalize,
  ignoreElements,
  isObservable,
  map,
  takeWhile,
} from 'rxjs';
import { isUndeliverable } from '../core/session-repository';
import type { SessionError } from '../core/session.errors';
import { BoundSocket } from '../requests/bound-socket';
import type { SessionInstances } from '../requests/session-instance';
import { reportFailure } from '../requests/session-instance';
import { currentScope } from '../requests/session-scope';
import { SocketUnit, type Socket } from '../requests/socket-unit';
import type { UnitOfWork } from '../requests/unit-of-work';
import type { RequestHeaders } from '../transports/session-transport';
import {
  bodyOf,
  closeSocket,
  onceGone,
  sendExceptions,
  tellFailure,
  type SocketClient,
} from './socket-frames';

const NO_ANSWER = Promise.resolve(undefined);

/** A socket of a gateway: its sessions while it connects and in each of its messages. */
export class OpenSocket {
  readonly #socket: Socket;
  readonly #bound: BoundSocket;

  /** @param openedAt when the request came: see {@link Socket} */
  constructor(
    private readonly instances: SessionInstances,
    private readonly client: SocketClient,
    request: IncomingMessage,
    openedAt: number | undefined,
  ) {
    const translate = exceptionOfFailure;
    this.#socket = { client, headers: headersOf(client, request), request, openedAt, translate };
    const bound = new BoundSocket(instances, this.#socket, (closing) => closeSocket(client, closing));
    this.#bound = bound;
    sendExceptions(client);
    onceGone(client, () => bound.end());
    // Without its session it could not be closed when that ends, and its token may be replaced by the time the store answers.
    for (const name of instances.names)
      bound.bind(instances.get(name)).catch(() => bound.close('unavailable'));
  }

  /**
   * Calls `connect` with the sessions of the handshake. Nothing waits for its end, so each change is saved by itself, and nothing would handle
   * its failure: when a session cannot be opened, the socket is closed and what asked for it does not go on.
   */
  connecting(connect: () => void): void {
    const unit = this.#unit((...use) =>
      this.#bound.open(...use).catch(() => {
        this.#bound.close('unavailable');
        return new Promise<never>(() => {});
      }),
    );
    unit.isOver = true;
    currentScope.run(unit.scope, connect);
  }

  /**
   * Handles a message with sessions of its own, and commits them before each answer. It is no async function: that alone would cost a third of
   * what a message costs that uses no session.
   */
  message(handle: () => unknown): Promise<unknown> {
    if (this.#bound.isOver) return NO_ANSWER;
    const unit = this.#unit(this.#bound.open);
    return Promise.resolve(currentScope.run(unit.scope, handle)).then(
      (result) => this.#answer(unit, result),
      (error: unknown) => {
        unit.finish();
        throw error;
      },
    );
  }

  #answer(unit: SocketUnit, result: unknown): unknown {
    if (isObservable(result)) {
      // Nest subscribes to no answers for a client that has gone. What was changed before them is saved.
      return this.#bound.isOver ? this.#answer(unit, undefined) : this.#answers(unit, result);
    }
    if (!unit.scope.settle()) return this.#committed(unit, result);
    unit.finish();
    return result;
  }

  async #committed(unit: SocketUnit, result: unknown): Promise<unknown> {
    try {
      return (await this.#commit(unit)) ? result : undefined;
    } finally {
      unit.finish();
    }
  }

  /** The handler behind an interceptor runs when its answers are subscribed to, which Nest does in a context of its own. */
  #answers(unit: SocketUnit, answers: Observable<unknown>): Observable<unknown> {
    const commit = async (answer?: unknown) => ({ answer, isCommitted: await this.#commit(unit) });
    const committed = concat(
      answers.pipe(concatMap(commit)),
      defer(() => commit()).pipe(ignoreElements()),
    ).pipe(
      takeWhile(({ isCommitted }) => isCommitted),
      map(({ answer }) => answer),
      finalize(() => unit.finish()),
    );
    return new Observable((subscriber) =>
      currentScope.run(unit.scope, () => committed.subscribe(subscriber)),
    );
  }

  /** Returns `false`, and tells the client, when it fails. The shutdown waits for it: sockets are closed before. */
  #commit(unit: SocketUnit): Promise<boolean> {
    const committing = this.#tryCommit(unit);
    this.instances.track(committing.then(() => {}));
    return committing;
  }

  async #tryCommit({ scope }: SocketUnit): Promise<boolean> {
    try {
      if (!scope.settle()) await scope.commit();
      return true;
    } catch (error) {
      // The client is told what a socket cannot do. In the log, it could write as many lines as it likes.
      if (!isUndeliverable(error)) reportFailure(error);
      tellFailure(this.client, error);
      return false;
    }
  }

  #unit(open: NonNullable<UnitOfWork['open']>): SocketUnit {
    return new SocketUnit(this.instances, this.#socket, open);
  }
}

/** socket.io sends what its client has as `auth: { token }` beside the handshake, as browsers cannot set its headers. */
function headersOf({ handshake }: SocketClient, { headers }: IncomingMessage): RequestHeaders {
  const token = handshake?.auth?.['token'];
  if (typeof token !== 'string') return headers;
  const given = headers.authorization;
  const authorization = `Bearer ${token}`;
  return { ...headers, authorization: given === undefined ? authorization : [given, authorization] };
}

function exceptionOfFailure(failure: SessionError): Error {
  return bodyOf(failure, { code: failure.code, message: 'Service Unavailable' });
}
