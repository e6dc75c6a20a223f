import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { SessionError } from '../core/session.errors';
import type { Connection } from '../transports/session-transport';
import { SessionGate } from '../http/session-gate';
import { SessionHandle, type RequestFacts } from './session-handle';
import type { SessionInstances } from './session-instance';

/** Where the sessions are filed under Node's own request, which both platforms share. */
const FILED = Symbol('nestjs-tessera.sessions');

type Filed = IncomingMessage & { [FILED]?: SessionScope };

/** The request as the framework knows it: behind a proxy it trusts, only the framework can tell what the client did. */
interface PlatformRequest {
  readonly protocol?: string;
  readonly secure?: boolean;
}

/** The request in hand, for code that was not given one. */
export const currentScope = new AsyncLocalStorage<SessionScope>();

/** The sessions of one request, one handle for each instance that is touched. An untouched request costs this object and nothing else. */
export class SessionScope implements RequestFacts {
  /** Fastify's request; Express's is Node's own. */
  platformRequest: PlatformRequest | undefined;
  /** One for each instance that was touched. */
  readonly handles: SessionHandle[] = [];
  #isSaving = false;

  private constructor(
    readonly instances: SessionInstances,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {}

  /**
   * Files the sessions of a request that has just come in. Harmless when they are filed already; an application inside of another
   * one has its own, or its guards would believe the other's logins.
   */
  static file(instances: SessionInstances, request: IncomingMessage, response: ServerResponse): SessionScope {
    const filed = request as Filed;
    if (filed[FILED]?.instances !== instances) filed[FILED] = new SessionScope(instances, request, response);
    return filed[FILED];
  }

  /**
   * Those of a request: Node's own, Express's or Fastify's.
   * @throws SessionError `SESSION_REQUEST_MISSING`
   */
  static of(request: object | undefined): SessionScope {
    const filed = findFiled(request);
    if (filed !== undefined) return filed;
    throw new SessionError(
      'SESSION_REQUEST_MISSING',
      'This request has no session. Import SessionModule.forRoot() into the root module, and hand in a request that came through the application.',
    );
  }

  /** Those of a request, if it has passed the gate. */
  static find(request: object | undefined): SessionScope | undefined {
    return findFiled(request);
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  get connection(): Connection {
    const { protocol, secure = protocol === 'https' } =
      this.platformRequest ?? (this.request as PlatformRequest);
    const encrypted = (this.request.socket as TLSSocket).encrypted === true;
    return {
      secure: secure || encrypted,
      host: this.headers.host ?? (this.headers[':authority'] as string | undefined),
    };
  }

  get isOver(): boolean {
    return this.response.closed;
  }

  /** The handle of one instance. The first touch puts the gate into the response's way. */
  handle(name: string): SessionHandle {
    const existing = this.handles.find(({ instance }) => instance.name === name);
    if (existing !== undefined) return existing;
    const handle = new SessionHandle(this.instances.get(name), this);
    this.handles.push(handle);
    if (this.handles.length === 1) SessionGate.mount(this.response, this);
    else if (this.response.headersSent) handle.seal();
    return handle;
  }

  /** Settles whatever needs no store, and says whether that was all. */
  settle(): boolean {
    let settled = true;
    for (const handle of this.handles) settled = handle.settle() && settled;
    return settled;
  }

  /** Every session gets its commit, also when another's fails. */
  commit(): Promise<void> {
    return this.handles.length === 1 ? this.handles[0]!.commit() : this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    const outcomes = await Promise.allSettled(this.handles.map((handle) => handle.commit()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  seal(): void {
    for (const handle of this.handles) handle.seal();
  }

  /** The response was refused before it began. */
  unseal(): void {
    for (const handle of this.handles) handle.unseal();
  }

  /** Lets the shutdown wait for work that outlives its response. */
  track(work: Promise<void>): void {
    this.instances.track(work);
  }

  /** After the response: saves what no answer has, such as what a stream changed in place. */
  finish(): void {
    for (const handle of this.handles) {
      const saving = handle.finish();
      if (saving !== null) this.track(saving);
    }
  }

  /** The shutdown waits for it from now on. */
  saveSoon(): void {
    if (this.#isSaving) return;
    this.#isSaving = true;
    this.track(this.#saveSoon());
  }

  async #saveSoon(): Promise<void> {
    await turn();
    this.#isSaving = false;
    this.finish();
  }

  reportFailure(error: unknown, undone?: 'opened' | 'saved'): void {
    this.instances.reportFailure(error, undone);
  }
}

function findFiled(request: object | undefined): SessionScope | undefined {
  // Applications may keep something of their own under `raw`.
  const { [FILED]: filed, raw } = (request ?? {}) as Partial<Filed> & { raw?: Filed };
  return filed ?? raw?.[FILED];
}
