import type { IncomingMessage } from 'node:http';
import { boundLoginOf, type BoundLogin } from '../core/bound-login';
import { isUndeliverable } from '../core/session-repository';
import { draftOf, type Session } from '../core/session';
import type { SessionInstance, SessionInstances } from '../requests/session-instance';
import { reportFailure } from '../requests/session-instance';
import { currentScope, SessionScope } from '../requests/session-scope';
import type { RequestHeaders } from '../transports/session-transport';
import { closeSocket, onceGone, sendExceptions, tellFailure, type SocketClient } from './socket-frames';
import { SocketUnit } from './socket-unit';

/** The sessions of one socket. They are those of its handshake, whatever tokens they get later, until one of their logins ends. */
export class OpenSocket {
  /** By the names of the instances. A session that could not be read is read again by the next message. */
  readonly #bound = new Map<string, Promise<BoundLogin | null>>();
  readonly #stops: (() => void)[] = [];
  readonly #headers: RequestHeaders;
  #isGone = false;

  constructor(
    private readonly instances: SessionInstances,
    private readonly client: SocketClient,
    private readonly request: IncomingMessage,
  ) {
    this.#headers = headersOf(client, request);
    sendExceptions(client);
    onceGone(client, () => {
      this.#isGone = true;
      for (const stop of this.#stops.splice(0)) stop();
    });
    for (const name of instances.names) this.#boundOf(instances.get(name)).catch(() => {});
  }

  /** Calls `connect` with the sessions of the handshake. There is no end of it, so each change is saved by itself. */
  connecting(connect: () => void): void {
    currentScope.run(this.#scope({ isOver: true }), connect);
  }

  /** Handles a message with sessions of its own, and commits them before it is answered. */
  async message(handle: () => unknown): Promise<unknown> {
    const scope = this.#scope();
    const result = await currentScope.run(scope, async () => handle());
    try {
      if (!scope.settle()) await scope.commit();
      return result;
    } catch (error) {
      // The client is told what a socket cannot do. In the log, it could write as many lines as it likes.
      if (!isUndeliverable(error)) reportFailure(error);
      tellFailure(this.client, error);
      return undefined;
    } finally {
      scope.finish();
    }
  }

  #scope({ isOver = false } = {}): SessionScope {
    const { request } = this;
    const open = (instance: SessionInstance, arrivedAt: number | undefined, touches: boolean) =>
      this.#open(instance, arrivedAt, touches);
    return new SocketUnit(this.instances, { headers: this.#headers, request, isOver, open }).scope;
  }

  async #open(instance: SessionInstance, arrivedAt: number | undefined, touches: boolean): Promise<Session> {
    const bound = await this.#boundOf(instance);
    if (bound === null) return instance.manager.find(null, arrivedAt, touches);
    const session = await instance.manager.reopen(bound, arrivedAt, touches);
    // The watch says so too, but perhaps later.
    if (session.isNew) this.#close();
    return session;
  }

  #boundOf(instance: SessionInstance): Promise<BoundLogin | null> {
    const { name } = instance;
    let bound = this.#bound.get(name);
    if (bound === undefined) {
      bound = this.#bind(instance);
      this.#bound.set(name, bound);
      bound.catch(() => this.#bound.delete(name));
    }
    return bound;
  }

  /** Opens the session of the handshake, which is a use of it, and closes the socket when its login ends. */
  async #bind(instance: SessionInstance): Promise<BoundLogin | null> {
    const { manager, transport } = instance;
    if (transport.read(this.#headers).kind === 'none') return null;
    const { scope } = new SocketUnit(this.instances, { headers: this.#headers, request: this.request });
    const session = await scope.handle(instance.name).find();
    if (session.isNew) return null;
    await scope.commit();
    const bound = boundLoginOf(draftOf(session));
    if (bound === null) this.#close();
    else if (!this.#isGone) this.#stops.push(manager.watchEnd(session, () => this.#close()));
    return bound;
  }

  #close(): void {
    if (!this.#isGone) closeSocket(this.client);
  }
}

/** socket.io sends what its client has as `auth: { token }` beside the handshake, as browsers cannot set its headers. */
function headersOf({ handshake }: SocketClient, { headers }: IncomingMessage): RequestHeaders {
  const token = handshake?.auth?.['token'];
  return typeof token === 'string' && headers.authorization === undefined
    ? { ...headers, authorization: `Bearer ${token}` }
    : headers;
}
