import { METHODS, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { HttpAdapterHost } from '@nestjs/core';
import type { SessionError } from '../core/session.errors';
import type { UnitOfWork } from '../requests/unit-of-work';
import type { SessionInstances } from '../requests/session-instance';
import { currentScope, finders, findScope, SessionScope } from '../requests/session-scope';
import type { Connection } from '../transports/session-transport';
import { isOver, onceOver } from './node-response';
import { OpenStreams } from './open-streams';
import { SessionGate } from './session-gate';
import { exceptionOf } from './session.exceptions';
import { commitBeforeReply, type Adapter } from './session-reply';

type Next = () => void;
type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/** The used part of Fastify. Its types may not be installed. */
interface FastifyInstance {
  use?: (...args: unknown[]) => unknown;
  addHook(name: 'onRegister', hook: (instance: FastifyInstance) => void): void;
  addHook(name: 'onRequest' | 'preValidation', hook: RequestHook): void;
}

type FastifyRequest = PlatformRequest & { readonly raw: IncomingMessage };
type RequestHook = (request: FastifyRequest, reply: { readonly raw: ServerResponse }, done: Next) => void;

/** The session instances of each application. The key is Express's application or Fastify's instance. */
const byFramework = new WeakMap<object, SessionInstances>();

const openStreams = new OpenStreams();

/**
 * Step 1 of 3 on a request's path: gives each request its {@link SessionScope}, before body parser, CORS, `app.use` in main.ts and
 * all guards. Mounts once per application.
 */
export function mountSessions(instances: SessionInstances, host: HttpAdapterHost): void {
  // A testing module has no adapter yet. A standalone application gets none that listens.
  if (host.httpAdapter) mount(instances, host.httpAdapter);
  else whenAdapterIsSet(host, () => mount(instances, host.httpAdapter));
}

/** Calls `then` as soon as the host has its adapter. Nest 10 has no `init$`, so the first assignment of `httpAdapter` is watched. */
function whenAdapterIsSet(host: HttpAdapterHost, then: () => void): void {
  const init$ = (host as Partial<HttpAdapterHost>).init$;
  if (init$ !== undefined) return void init$.subscribe(then);
  Object.defineProperty(host, 'httpAdapter', {
    configurable: true,
    get: () => undefined,
    set(this: { httpAdapter?: unknown }, adapter: unknown) {
      // The accessors of the class are next.
      delete this.httpAdapter;
      this.httpAdapter = adapter;
      then();
    },
  });
}

function mount(instances: SessionInstances, adapter: Adapter | undefined): void {
  if (typeof adapter?.use !== 'function') return;
  const type = adapter.getType();
  const framework = adapter.getInstance<FastifyInstance>();
  if (type === '' || byFramework.get(framework) === instances) return;
  byFramework.set(framework, instances);
  finders.add(findEarlyScope);
  commitBeforeReply(adapter);
  const middleware: Middleware = (request, response, next) =>
    enter(ensureScope(instances, request, response), next);
  if (type !== 'fastify') {
    adapter.use(middleware);
    return enterBeforeHandlers(adapter);
  }
  putBeforeMiddleware(framework, middleware);
  framework.addHook('onRegister', (instance) => putBeforeMiddleware(instance, middleware));
  // Has access to Fastify's request, and runs even without middleware.
  framework.addHook('onRequest', (request, reply, done) =>
    enter(ensureScope(instances, request.raw, reply.raw, request), done),
  );
  // Reading the body loses the async context.
  framework.addHook('preValidation', (request, _reply, done) => enter(findScope(request.raw), done));
}

/** Node's request has it when it opens a socket. */
interface HandshakeRequest {
  readonly upgrade: boolean;
}

/** Calls `next` in the async context of the scope. */
function enter<A extends unknown[], R>(
  scope: SessionScope | undefined,
  next: (...args: A) => R,
  ...args: A
): R {
  if (scope === undefined || currentScope.getStore() === scope) return next(...args);
  // What happens on a socket is no part of the request that opened it.
  const isUpgrade = (scope.unit.request as Partial<HandshakeRequest>).upgrade === true;
  if (scope.instances.usesContext && !isUpgrade) return currentScope.run(scope, next, ...args);
  // A message of a socket that makes a request within this process has a context all the same.
  return currentScope.getStore() === undefined ? next(...args) : currentScope.exit(next, ...args);
}

type Handler = (request: IncomingMessage, ...rest: unknown[]) => unknown;

/** Middleware that reads the body, such as multer, loses the async context. Each handler of a route of Express enters it again. */
function enterBeforeHandlers(adapter: Adapter): void {
  const routes = adapter as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>;
  const inContext =
    (handler: Handler): Handler =>
    (request, ...rest) =>
      enter(findScope(request), handler, request, ...rest);
  for (const method of [...METHODS, 'ALL'].map((name) => name.toLowerCase())) {
    const register = routes[method];
    if (typeof register !== 'function') continue;
    routes[method] = (...args) =>
      register.apply(
        adapter,
        // Express takes a handler with four parameters for one of errors.
        args.map((arg) => (typeof arg === 'function' && arg.length < 4 ? inContext(arg as Handler) : arg)),
      );
  }
}

/**
 * Registers our middleware before the first other one of a Fastify context, because the hook that runs middleware may come before ours.
 * A context without middleware gets none: it is slow. A context without its own `use` gets that from a hook that runs after ours.
 */
function putBeforeMiddleware(fastify: FastifyInstance, middleware: Middleware): void {
  const { use } = fastify;
  if (use === undefined || !Object.hasOwn(fastify, 'use')) return;
  fastify.use = (...args) => {
    fastify.use = use;
    fastify.use(middleware);
    return fastify.use(...args);
  };
}

/**
 * Returns the scope of a request that reaches other code before our middleware: a router that moves itself to the front, such as that of
 * AdminJS, or an earlier Fastify hook. Express's request has its response; for Fastify, Node's HTTP/1 socket has the current response.
 */
function findEarlyScope(request: PlatformRequest): SessionScope | undefined {
  const raw = request.res === undefined ? request.raw : (request as IncomingMessage);
  const socket = raw?.socket as { readonly _httpMessage?: ServerResponse } | undefined;
  const response = request.res ?? socket?._httpMessage;
  const instances = instancesAt(request);
  if (raw === undefined || response?.req !== raw || instances === undefined) return undefined;
  return ensureScope(instances, raw, response, request);
}

/** Returns the scope of a request in an application, and creates it at the first call. */
function ensureScope(
  instances: SessionInstances,
  request: IncomingMessage,
  response: ServerResponse,
  platformRequest?: PlatformRequest,
): SessionScope {
  let scope = findScope(request);
  if (scope?.instances !== instances) ({ scope } = new HttpRequest(instances, request, response));
  if (platformRequest && scope.unit instanceof HttpRequest) scope.unit.platformRequest = platformRequest;
  return scope;
}

/** Returns the instances of a request's application. The request may be in a nested Express application or Fastify context. */
function instancesAt({ app, server }: PlatformRequest): SessionInstances | undefined {
  let at: { readonly parent?: object } | null | undefined = app ?? server;
  while (at && !byFramework.has(at)) at = app ? at.parent : (Object.getPrototypeOf(at) as object | null);
  return at ? byFramework.get(at) : undefined;
}

/** The request of the framework, which knows the client's protocol behind a trusted proxy. */
interface PlatformRequest {
  readonly protocol?: string;
  readonly secure?: boolean;
  readonly ip?: string;
  /** Express: the response, and the current application. */
  readonly res?: ServerResponse;
  readonly app?: object;
  /** Fastify: Node's request, and the current context. */
  readonly raw?: IncomingMessage;
  readonly server?: object;
}

/** An HTTP request as a unit of work. Without use of a session it costs only this object and its scope. */
class HttpRequest implements UnitOfWork {
  readonly scope: SessionScope;
  /** Fastify's request. With Express it is Node's request. */
  platformRequest: PlatformRequest;

  constructor(
    instances: SessionInstances,
    readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    this.platformRequest = request as PlatformRequest;
    this.scope = new SessionScope(instances, this, request);
  }

  get connection(): Connection {
    const { protocol, secure = protocol === 'https' } = this.platformRequest;
    const { headers, socket } = this.request;
    return {
      secure: secure || (socket as TLSSocket).encrypted === true,
      host: headers.host ?? (headers[':authority'] as string | undefined),
    };
  }

  /** Express computes it at each call. */
  get address(): string | undefined {
    return this.platformRequest.ip ?? this.request.socket.remoteAddress;
  }

  get isOver(): boolean {
    return isOver(this.response);
  }

  begin(isFirst: boolean): boolean {
    const { headersSent } = this.response;
    if (isFirst) {
      if (!headersSent) new SessionGate(this.response, this.scope);
      onceOver(this.response, () => this.scope.finish());
      if (this.scope.instances.closesStreams) openStreams.add(this.response, this.scope);
    }
    return headersSent;
  }

  translate(failure: SessionError): Error {
    return exceptionOf(failure);
  }
}
