import type { INestApplicationContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SessionError } from '../core/session.errors';
import { openByToken } from '../requests/opening';
import { admitsHandshake } from '../requests/request-origin';
import { SessionInstances } from '../requests/session-instance';
import { peekScope, scopeOf, type SessionScope } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { SocketUnit } from '../requests/socket-unit';
import type { UnitOfWork } from '../requests/unit-of-work';
import { FastifyRequestSession } from './fastify-session';
import { RequestSession, type SessionRequest } from './request-session';

/** Options of {@link requestSession} and {@link fastifyRequestSession}. */
export interface RequestSessionOptions {
  /** The instance whose session it is. @default 'default' */
  readonly name?: string;
  /**
   * What `req.session = null` and `delete req.session` do: `destroy` ends the session, `keep` leaves what was last saved of it.
   * @default 'keep'
   */
  readonly unset?: 'keep' | 'destroy';
  /**
   * The application, for middleware that calls it with the handshake of a socket, such as express-socket.io-session. A handshake from a page of
   * another site gets no session, unless its origin is one of `csrf.trustedOrigins`. Only `save()` writes there.
   */
  readonly application?: INestApplicationContext;
}

type Headers = UnitOfWork['request']['headers'] & { readonly host?: string };
/** @inline */
type Next = (error?: Error) => void;

/**
 * Returns middleware that gives a request `req.session`, for middleware made for express-session. Mount it before that: for all requests with
 * `app.use(requestSession())` in main.ts, for some with `consumer.apply(requestSession()).forRoutes('auth')`. It loads the session; without
 * changes, nothing is stored. A request that has a `session` already keeps that,
 * unless it is that of an application around this one. On Fastify use {@link fastifyRequestSession}.
 */
export function requestSession(
  options: RequestSessionOptions = {},
): (request: object, response: object, next: Next) => void {
  return (request, _response, next) => {
    const { session } = request as SessionRequest;
    const handles = peekScope(request)?.handles;
    const isForeign = handles !== undefined && RequestSession.isForeign(session, handles);
    if (session !== undefined && !isForeign) return next();
    open(request, options, RequestSession).then(() => next(), next);
  };
}

/** The used part of Fastify. Its types may not be installed. */
interface FastifyInstance {
  hasRequestDecorator(name: string): boolean;
  decorateRequest(name: string, value: null): unknown;
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: object, done: Next) => void): unknown;
}

type FastifyRequest = SessionRequest & { readonly raw: SessionRequest };

/**
 * Plugin of Fastify that gives each request `request.session`, for plugins made for @fastify/session or @fastify/secure-session. Register it
 * before those: `await app.register(fastifyRequestSession)`. Middleware of Express (`app.use`) has it too. It does nothing when another plugin has decorated requests with a `session`.
 */
export function fastifyRequestSession(instance: object, options: RequestSessionOptions, done: Next): void {
  const fastify = instance as FastifyInstance;
  if (fastify.hasRequestDecorator('session')) return done();
  fastify.decorateRequest('session', null);
  fastify.addHook('onRequest', (request, _reply, next) => {
    open(request, options, FastifyRequestSession).then(() => {
      share(request);
      next();
    }, next);
  });
  done();
}

/** Middleware of Express gets Node's request. */
function share(request: FastifyRequest): void {
  for (const name of ['session', 'sessionID', 'sessionStore'] as const) {
    if (request.raw[name] !== undefined) continue;
    const property = { get: () => request[name], set: (value: unknown) => (request[name] = value) };
    Object.defineProperty(request.raw, name, { ...property, configurable: true });
  }
}

// As fastify-plugin does: the decorator and the hook are for the whole application.
Object.assign(fastifyRequestSession, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'nestjs-tessera/express-session',
});

async function open(
  request: SessionRequest & object,
  { name = DEFAULT_SESSION, unset = 'keep', application }: RequestSessionOptions,
  Kind: typeof RequestSession,
): Promise<void> {
  const scope = application === undefined ? scopeOf(request) : scopeOfHandshake(request, name, application);
  const handle = scope.handle(name);
  const session = await handle.open();
  Object.defineProperty(request, 'sessionID', { configurable: true, get: () => session.id });
  request.sessionStore ??= new RequestSessionStore(request);
  new Kind({ request, handle, session, isDestroyedWhenUnset: unset === 'destroy' });
}

/** Of Node or of socket.io. */
interface Handshake {
  readonly headers: Headers;
  readonly socket?: { readonly remoteAddress?: string; readonly encrypted?: boolean };
  readonly address?: string;
  readonly secure?: boolean;
}

/**
 * A handshake has headers, and no answer. What is changed in its session is saved by `save()`.
 * @throws SessionError `SESSION_REQUEST_MISSING` for one that a page of another site has made a browser send, with its cookies
 */
function scopeOfHandshake(request: object, name: string, application: INestApplicationContext): SessionScope {
  const instances = SessionInstances.of(application.get(HttpAdapterHost));
  const scope = peekScope(request, instances);
  if (scope !== undefined) return scope;
  const { headers, address, secure = false, socket } = request as Handshake;
  if (!admitsHandshake(headers, instances.get(name)))
    throw new SessionError(
      'SESSION_REQUEST_MISSING',
      'The handshake of a socket came from a page of another site, so it has no session. Name the origin in csrf.trustedOrigins if it may.',
    );
  const handshake = {
    client: request,
    headers,
    request: { headers, socket: socket ?? { remoteAddress: address, encrypted: secure } },
    translate: (failure: SessionError) => failure,
  };
  // A namespace that a client joins comes with the token of its connection. That this was rotated meanwhile is no theft.
  const unit = new SocketUnit(instances, handshake, async (instance, arrivedAt, touches) => {
    const { session } = await openByToken(instance, headers, arrivedAt, touches, true);
    return session;
  });
  return unit.scope;
}

/** What is left of the store of express-session in a request. `SessionRegistry` lists and ends the sessions of others. */
class RequestSessionStore {
  readonly #request: SessionRequest;

  constructor(request: SessionRequest) {
    this.#request = request;
  }

  /** Begins a new session for the request. */
  generate(request: SessionRequest = this.#request): void {
    void (request.session as RequestSession).regenerate();
  }
}
