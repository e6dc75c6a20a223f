import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { HttpAdapterHost } from '@nestjs/core';
import type { SessionError } from '../core/session.errors';
import type { UnitOfWork } from '../requests/session-handle';
import type { SessionInstances } from '../requests/session-instance';
import { currentScope, fileScope, finders, findScope, SessionScope } from '../requests/session-scope';
import type { Connection } from '../transports/session-transport';
import { SessionGate } from './session-gate';
import { SessionUnavailableException } from './session.exceptions';
import { commitBeforeReply } from './session-reply';

type Adapter = HttpAdapterHost['httpAdapter'];
type Next = () => void;
type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/** The part of Fastify that is used here, so that its types need not be installed. */
interface FastifyInstance {
  use?: (...args: unknown[]) => unknown;
  addHook(name: 'onRegister', hook: (instance: FastifyInstance) => void): void;
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (
      request: PlatformRequest & { readonly raw: IncomingMessage },
      reply: { readonly raw: ServerResponse },
      done: Next,
    ) => void,
  ): void;
}

/** The instances of each application, by Express's application or Fastify's instance. */
const byFramework = new WeakMap<object, SessionInstances>();

/**
 * Step 1 of 3 on a request's path: every request of an application passes here first and gets its {@link SessionScope}, ahead of body
 * parser, CORS, `app.use` in main.ts and every guard. Mounts once for each application.
 */
export function mountSessions(instances: SessionInstances, host: HttpAdapterHost): void {
  // A testing module has no adapter yet, a standalone application never gets one that serves.
  if (host.httpAdapter) mount(instances, host.httpAdapter);
  else host.init$.subscribe(() => mount(instances, host.httpAdapter));
}

function mount(instances: SessionInstances, adapter: Adapter | undefined): void {
  if (typeof adapter?.use !== 'function') return;
  const type = adapter.getType();
  const framework = adapter.getInstance<object>();
  if (type === '' || byFramework.get(framework) === instances) return;
  byFramework.set(framework, instances);
  finders.add(fileEarly);
  commitBeforeReply(adapter);
  const file: Middleware = (request, response, next) =>
    enter(HttpRequest.file(instances, request, response), next);
  if (type === 'fastify') mountOnFastify(instances, adapter.getInstance<FastifyInstance>(), file);
  else adapter.use(file);
}

/** The hook knows Fastify's own request, and works where middleware is turned off. */
function mountOnFastify(instances: SessionInstances, fastify: FastifyInstance, file: Middleware): void {
  putBeforeMiddleware(fastify, file);
  fastify.addHook('onRegister', (instance) => putBeforeMiddleware(instance, file));
  fastify.addHook('onRequest', (request, reply, done) =>
    enter(HttpRequest.file(instances, request.raw, reply.raw, request), done),
  );
  // Reading the body leaves the context that the request came in with.
  fastify.addHook('preValidation', (request, _reply, done) => enter(findScope(request.raw), done));
}

function enter(scope: SessionScope | undefined, next: Next): void {
  if (scope?.instances.usesContext && currentScope.getStore() !== scope) currentScope.run(scope, next);
  else next();
}

/**
 * Middleware is run by a hook that may be older than ours. The first of a context brings ours along, ahead of it: where there is none,
 * Fastify is spared the way through all middleware, which costs more than all that is done here. A context that has not got its own
 * `use` by now gets it from a hook that is younger than ours.
 */
function putBeforeMiddleware(fastify: FastifyInstance, file: Middleware): void {
  const { use } = fastify;
  if (use === undefined || !Object.hasOwn(fastify, 'use')) return;
  fastify.use = (...args) => {
    fastify.use = use;
    fastify.use(file);
    return fastify.use(...args);
  };
}

/**
 * Files a request that is handled ahead of ours: by a router that has moved itself to the front, as AdminJS's does, or by a hook that
 * Fastify had before Nest. Express keeps the response with the request; of Fastify's, Node knows it as the one its socket is at, over HTTP/1.
 */
function fileEarly(request: PlatformRequest): SessionScope | undefined {
  const raw = request.res === undefined ? request.raw : (request as IncomingMessage);
  const socket = raw?.socket as { readonly _httpMessage?: ServerResponse } | undefined;
  const response = request.res ?? socket?._httpMessage;
  const instances = instancesAt(request);
  if (raw === undefined || response?.req !== raw || instances === undefined) return undefined;
  return HttpRequest.file(instances, raw, response, request);
}

/** Those of the application that a request is in, be it through an application of Express or a context of Fastify inside of it. */
function instancesAt({ app, server }: PlatformRequest): SessionInstances | undefined {
  let at: { readonly parent?: object } | null | undefined = app ?? server;
  while (at && !byFramework.has(at)) at = app ? at.parent : (Object.getPrototypeOf(at) as object | null);
  return at ? byFramework.get(at) : undefined;
}

/** The request as the framework knows it: behind a proxy it trusts, only the framework can tell what the client did. */
interface PlatformRequest {
  readonly protocol?: string;
  readonly secure?: boolean;
  /** Express's response, and the application whose routes are looked at. */
  readonly res?: ServerResponse;
  readonly app?: object;
  /** Of Fastify, Node's own request, and the context it is in. */
  readonly raw?: IncomingMessage;
  readonly server?: object;
}

/** An HTTP request as a unit of work. One whose sessions are not touched costs this object and its scope, and nothing else. */
class HttpRequest implements UnitOfWork {
  readonly scope: SessionScope;
  /** Fastify's request; Express's is Node's own. */
  platformRequest: PlatformRequest | undefined;

  private constructor(
    instances: SessionInstances,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    this.scope = new SessionScope(instances, this);
  }

  /** Gives a request that has just come in its scope. Returns the one it has when it comes in once more. */
  static file(
    instances: SessionInstances,
    request: IncomingMessage,
    response: ServerResponse,
    platformRequest?: PlatformRequest,
  ): SessionScope {
    let scope = findScope(request);
    if (scope?.instances !== instances) {
      scope = new HttpRequest(instances, request, response).scope;
      fileScope(request, scope);
    }
    if (platformRequest !== undefined && scope.unit instanceof HttpRequest)
      scope.unit.platformRequest = platformRequest;
    return scope;
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

  begin(isFirst: boolean): boolean {
    const { headersSent } = this.response;
    if (isFirst) {
      if (!headersSent) new SessionGate(this.response, this.scope);
      this.response.once('close', () => this.scope.finish());
    }
    return headersSent;
  }

  translate(failure: SessionError): Error {
    return new SessionUnavailableException(failure);
  }
}
