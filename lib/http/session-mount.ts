import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { SessionError } from '../core/session.errors';
import { SessionScope, currentScope } from '../requests/session-scope';
import type { SessionInstance } from '../requests/session-instance';
import { SessionUnavailableException } from './session.exceptions';
import { commitBeforeReply } from './session-reply';

type Adapter = HttpAdapterHost['httpAdapter'];

/** The part of Fastify that the gate needs, so that nobody has to install it for the types. */
interface FastifyInstance {
  use?: (...args: unknown[]) => unknown;
  addHook(name: 'onRegister', hook: (instance: FastifyInstance) => void): void;
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequest, reply: { raw: ServerResponse }, done: () => void) => void,
  ): void;
  addHook(
    name: 'preValidation',
    hook: (request: FastifyRequest, reply: unknown, done: () => void) => void,
  ): void;
}

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly protocol: string;
}

const hubs = new WeakMap<HttpAdapterHost, SessionMount>();

/** Step 1 of 3 on a request's path: every request of an application passes here first, and has its sessions filed for whoever asks. */
export class SessionMount {
  readonly #instances = new Map<string, SessionInstance>();
  readonly #pending = new Set<Promise<void>>();
  readonly #logger = new Logger('SessionModule');
  #mounted = false;
  #usesContext = false;

  /** The one of this application, whichever of its session instances asks. */
  static of(host: HttpAdapterHost): SessionMount {
    const known = hubs.get(host);
    if (known !== undefined) return known;
    const hub = new SessionMount();
    hubs.set(host, hub);
    return hub;
  }

  /**
   * Adds an instance, and mounts the gate with the first.
   * @throws SessionError `SESSION_NAME_TAKEN`
   */
  add(instance: SessionInstance, host: HttpAdapterHost): void {
    for (const other of this.#instances.values()) assertDistinct(instance, other);
    this.#instances.set(instance.name, instance);
    this.#usesContext ||= instance.asyncContext;
    // A testing module has no adapter yet, a standalone application never gets one that serves.
    if (host.httpAdapter) this.#mount(host.httpAdapter);
    else host.init$.subscribe(() => this.#mount(host.httpAdapter));
  }

  /** @throws SessionError `SESSION_MODULE_MISSING` */
  instance(name: string): SessionInstance {
    const instance = this.#instances.get(name);
    if (instance !== undefined) return instance;
    const options = name === 'default' ? '' : `{ name: '${name}', … }`;
    throw new SessionError(
      'SESSION_MODULE_MISSING',
      `There is no session instance '${name}'. Import SessionModule.forRoot(${options}).`,
    );
  }

  /** Lets the shutdown wait for work that outlives its response. */
  track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.reportFailure(error))
      .finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }

  /** Resolves when no session of a finished response is being saved any more. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  /** Logs what nobody else would: that a store failed was told when it did. */
  reportFailure(error: unknown, undone: 'opened' | 'saved' = 'saved'): void {
    if (!(error instanceof SessionUnavailableException))
      this.#logger.error(`A session could not be ${undone}`, error);
  }

  /**
   * Before body parser, CORS, `app.use` in main.ts and every guard. Fastify's hook knows its own request besides, and works where
   * middleware is turned off.
   */
  #mount(adapter: Adapter | undefined): void {
    if (this.#mounted || typeof adapter?.use !== 'function') return;
    const type = adapter.getType();
    if (type === '') return;
    this.#mounted = true;
    commitBeforeReply(adapter);
    const file = (request: IncomingMessage, response: ServerResponse, next: () => void): void =>
      this.#file(request, response, next);
    if (type !== 'fastify') {
      adapter.use(file);
      return;
    }
    const fastify = adapter.getInstance<FastifyInstance>();
    putBeforeMiddleware(fastify, file);
    fastify.addHook('onRegister', (instance) => putBeforeMiddleware(instance, file));
    fastify.addHook('onRequest', (request, reply, done) => {
      SessionScope.file(this, request.raw, reply.raw).platformRequest = request;
      this.#enter(request.raw, done);
    });
    // Reading the body leaves the context that the request came in with.
    fastify.addHook('preValidation', (request, _reply, done) => this.#enter(request.raw, done));
  }

  #file(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const sessions = SessionScope.file(this, request, response);
    if (this.#usesContext) currentScope.run(sessions, next);
    else next();
  }

  #enter(request: IncomingMessage, next: () => void): void {
    const sessions = SessionScope.find(request);
    if (sessions !== undefined && this.#usesContext && currentScope.getStore() !== sessions)
      currentScope.run(sessions, next);
    else next();
  }
}

/**
 * Middleware is run by a hook that may be older than ours. The first of a context brings ours along, ahead of it: where there is none,
 * Fastify is spared the way through all middleware, which costs more than all that is done here. A context that has not got its own
 * `use` by now gets it from a hook that is younger than ours.
 */
function putBeforeMiddleware(fastify: FastifyInstance, file: unknown): void {
  const { use } = fastify;
  if (use === undefined || !Object.hasOwn(fastify, 'use')) return;
  fastify.use = (...args) => {
    fastify.use = use;
    fastify.use(file);
    return fastify.use(...args);
  };
}

function assertDistinct(instance: SessionInstance, other: SessionInstance): void {
  if (instance.name === other.name) {
    throw new SessionError(
      'SESSION_NAME_TAKEN',
      `SessionModule.forRoot() was called twice for the instance '${instance.name}'. Call it once, in the root module, or give the second a name.`,
    );
  }
  if (instance.transport.channel === other.transport.channel) {
    throw new SessionError(
      'SESSION_NAME_TAKEN',
      `The session instances '${instance.name}' and '${other.name}' both use the ${instance.transport.channel}. Give one of them another.`,
    );
  }
}
