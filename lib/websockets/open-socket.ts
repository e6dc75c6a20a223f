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
import { boundLoginOf, type BoundLogin } from '../core/bound-login';
import { draftOf, type Session } from '../core/session';
import { isUndeliverable } from '../core/session-repository';
import type { SessionInstance, SessionInstances } from '../requests/session-instance';
import { reportFailure } from '../requests/session-instance';
import { currentScope } from '../requests/session-scope';
import type { RequestHeaders } from '../transports/session-transport';
import {
  closeSocket,
  onceGone,
  sendExceptions,
  tellFailure,
  type Closing,
  type SocketClient,
} from './socket-frames';
import { SocketUnit } from './socket-unit';

/** The sessions of one socket. They are those of its handshake, whatever tokens they get later, until one of their logins ends. */
export class OpenSocket {
  /** By the names of the instances. */
  readonly #bound = new Map<string, Promise<BoundLogin | null>>();
  readonly #stops: (() => void)[] = [];
  readonly #headers: RequestHeaders;
  /** Whether it is closed, or was told to close: a client may take its time. */
  #isOver = false;

  constructor(
    private readonly instances: SessionInstances,
    private readonly client: SocketClient,
    private readonly request: IncomingMessage,
  ) {
    this.#headers = headersOf(client, request);
    sendExceptions(client);
    onceGone(client, () => this.#end());
    for (const name of instances.names) {
      const bound = this.#bind(instances.get(name));
      // Without its session it could not be closed when that ends, and its token may be replaced by the time the store answers.
      bound.catch(() => this.#close('unavailable'));
      this.#bound.set(name, bound);
    }
  }

  /**
   * Calls `connect` with the sessions of the handshake. Nothing waits for its end, so each change is saved by itself, and nothing would handle
   * its failure: when a session cannot be opened, the socket is closed and what asked for it does not go on.
   */
  connecting(connect: () => void): void {
    const unit = this.#unit((instance, arrivedAt, touches) =>
      this.#open(instance, arrivedAt, touches).catch(() => {
        this.#close('unavailable');
        return new Promise<never>(() => {});
      }),
    );
    unit.isOver = true;
    currentScope.run(unit.scope, connect);
  }

  /** Handles a message with sessions of its own, and commits them before each answer. */
  async message(handle: () => unknown): Promise<unknown> {
    if (this.#isOver) return undefined;
    const unit = this.#unit((instance, arrivedAt, touches) => this.#open(instance, arrivedAt, touches));
    let isStreamed = false;
    try {
      const result = await currentScope.run(unit.scope, async () => handle());
      isStreamed = isObservable(result);
      if (isObservable(result)) return this.#answers(unit, result);
      return (await this.#commit(unit)) ? result : undefined;
    } finally {
      if (!isStreamed) unit.finish();
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

  /** Returns `false`, and tells the client, when it fails. */
  async #commit({ scope }: SocketUnit): Promise<boolean> {
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

  #unit(open?: SocketUnit['open']): SocketUnit {
    const { client, request } = this;
    return new SocketUnit(this.instances, { client, headers: this.#headers, request, ...(open && { open }) });
  }

  async #open(instance: SessionInstance, arrivedAt: number | undefined, touches: boolean): Promise<Session> {
    const bound = await this.#bound.get(instance.name);
    if (!bound) return instance.manager.find(null, arrivedAt, touches);
    const session = await instance.manager.reopen(bound, arrivedAt, touches);
    // The watch says so too, but perhaps later.
    if (session.isNew) this.#close('ended');
    return session;
  }

  /** Opens the session of the handshake, which is a use of it, and closes the socket when its login ends. */
  async #bind(instance: SessionInstance): Promise<BoundLogin | null> {
    const { manager, transport, name } = instance;
    if (transport.read(this.#headers).kind === 'none') return null;
    const { scope } = this.#unit();
    const session = await scope.handle(name).find();
    if (session.isNew) return null;
    await scope.commit();
    const bound = boundLoginOf(draftOf(session));
    if (bound === null) this.#close('ended');
    else if (!this.#isOver) this.#stops.push(manager.watchBound(bound, () => this.#close('ended')));
    return bound;
  }

  #close(closing: Closing): void {
    if (this.#isOver) return;
    this.#end();
    closeSocket(this.client, closing);
  }

  #end(): void {
    this.#isOver = true;
    for (const stop of this.#stops.splice(0)) stop();
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
