import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { ArgumentsHost } from '@nestjs/common';
import type { Session } from '../core/session';
import type { SessionWatcher } from '../core/session-operation';
import { SessionError } from '../core/session.errors';
import { aboutCopies } from './copies';
import { SessionHandle } from './session-handle';
import type { UnitOfWork } from './unit-of-work';
import type { SessionInstances } from './session-instance';

/** Key under which a request keeps its scope: Node's own request, which both platforms share. */
const SCOPE = Symbol('nestjs-tessera.scope');

const OPEN_TOKEN = 'Open a token with SessionManager.';

/** What to do in a context whose kind no door knows, or in which it finds no request. */
const WAYS_OUT: ReadonlyMap<string, string> = new Map([
  [
    'graphql',
    'The context of the operation needs the HTTP request as `req`: let the option `context` be a function. Over a socket it needs what graphql-ws passes to that function, or the `request` of Mercurius.',
  ],
  ['ws', "Import SessionSocketsModule of 'nestjs-tessera/websockets'."],
]);

/** A request that may have a scope. */
interface ScopedRequest {
  [SCOPE]?: SessionScope;
}

/** What an answer says of a failure. */
export interface Failure {
  readonly statusCode: number;
  readonly code?: string;
  readonly message: string;
}

/** Returns status and body of an answer of some media type that tells of a failure. */
export type TellFailure = (
  failure: Failure,
  contentType: string,
) => { readonly statusCode: number; readonly body: object };

/** The sessions of one unit of work: a handle for each instance that is used. The async context has the current scope. */
export class SessionScope implements SessionWatcher {
  readonly handles: SessionHandle[] = [];
  /** The scope of the same request in the outer application. The inner one has its own, so that its guards do not trust outer logins. */
  readonly outer: SessionScope | undefined;
  /** See {@link ContextKind.tellFailure}. */
  tellFailure: TellFailure | null = null;
  readonly #arrivedAt: number | undefined;
  /** Names of request headers on which the answer depends, beside those of the sessions' transports. */
  #vary: Set<string> | null = null;
  #hasBegun = false;
  #isSaving = false;

  /** @param request keeps the scope for {@link findScope} */
  constructor(
    readonly instances: SessionInstances,
    readonly unit: UnitOfWork,
    request: object,
  ) {
    const scoped = request as ScopedRequest;
    this.#arrivedAt = instances.clock?.();
    this.outer = scoped[SCOPE];
    scoped[SCOPE] = this;
  }

  /** @throws SessionError `SESSION_MODULE_MISSING` */
  handle(name: string): SessionHandle {
    for (const handle of this.handles) if (handle.instance.name === name) return handle;
    const instance = this.instances.get(name);
    const arrivedAt = instance.clock === this.instances.clock ? this.#arrivedAt : undefined;
    const handle = new SessionHandle(instance, this.unit, this, arrivedAt);
    this.handles.push(handle);
    if (this.#begin()) handle.seal(true);
    return handle;
  }

  /** The names given to {@link dependOn}. */
  get vary(): Iterable<string> {
    return this.#vary ?? [];
  }

  /** Notes that the answer depends on these request headers, which the door adds to `Vary`. */
  dependOn(headers: readonly string[]): void {
    this.#vary = new Set([...this.vary, ...headers]);
    this.#begin();
  }

  /** Returns the session of an instance if it is loaded, else `null`. */
  peek(name: string): Session | null {
    return this.handles.find(({ instance }) => instance.name === name)?.peek() ?? null;
  }

  /** Settles what needs no store. Returns whether no session needs a commit. */
  settle(): boolean {
    let settled = true;
    for (const handle of this.handles) settled = handle.settle() && settled;
    return settled;
  }

  /** Commits every session, even if the commit of another fails. Rejects with the first error. */
  async commit(): Promise<void> {
    const commits = this.handles.map((handle) => handle.commit());
    if (commits.length > 1) await Promise.allSettled(commits);
    for (const commit of commits) await commit;
  }

  /** @param sealed `true` when the answer begins, `false` when it was refused before its first byte */
  seal(sealed = true): void {
    for (const handle of this.handles) handle.seal(sealed);
  }

  /** Called when the answer is over. Saves later changes, such as those that a stream made in place. */
  finish(): void {
    for (const handle of this.handles) {
      const saving = handle.finish();
      if (saving !== null) this.instances.track(saving);
    }
  }

  #begin(): boolean {
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    return this.unit.begin(isFirst);
  }

  /** Called when a session changes after the end. Saves it after this turn of the event loop; the shutdown waits for that. */
  changing(): void {
    if (this.#isSaving) return;
    this.#isSaving = true;
    const saving = turn().then(() => {
      this.#isSaving = false;
      this.finish();
    });
    this.instances.track(saving);
  }
}

/** The scope of the current unit of work, for code that has neither a context nor a request. */
export const currentScope = new AsyncLocalStorage<SessionScope>();

/**
 * Returns the handle of an instance's session in the current unit of work.
 * @param isOptional whether to return `null` without one, instead of throwing
 * @throws SessionError `SESSION_REQUEST_MISSING`
 */
export function currentHandle(instances: SessionInstances, name: string, isOptional?: false): SessionHandle;
export function currentHandle(
  instances: SessionInstances,
  name: string,
  isOptional: boolean,
): SessionHandle | null;
export function currentHandle(
  instances: SessionInstances,
  name: string,
  isOptional = false,
): SessionHandle | null {
  const scope = scopeIn(instances, currentScope.getStore());
  if (scope !== undefined) return scope.handle(name);
  if (isOptional) return null;
  throw new SessionError(
    'SESSION_REQUEST_MISSING',
    'There is no current request. Call this method while a request is handled, with asyncContext turned on, or use of(context) or of(request): there is none in an operation of GraphQL that came over a socket. In a gateway, import SessionSocketsModule of nestjs-tessera/websockets.',
  );
}

/**
 * Called in this order. Each door adds its own, which creates the scope of a request that is used before it reached its door, and returns
 * `undefined` for a request of another door.
 */
export const finders = new Set<(request: object) => SessionScope | undefined>([findScope]);

/** What a door knows of the contexts of one kind. */
export interface ContextKind {
  /** Returns the request of a handler's context, if it has one. */
  requestOf(host: ArgumentsHost): object | undefined;
  /** How an answer tells that a session could not be saved. @default as Nest tells of an exception */
  readonly tellFailure?: TellFailure;
  /** Returns what a guard throws there in the place of an exception of HTTP. @default the same */
  refusal?(exception: Error): Error;
}

/** The contexts of each kind. Doors add theirs. */
export const contextKinds = new Map<string, ContextKind>([
  ['http', { requestOf: (host) => host.switchToHttp().getRequest<object>() }],
]);

/** Returns the scope of a request (Node's own, Express's or Fastify's) in the application that it reached last. */
export function findScope(request: object | undefined): SessionScope | undefined {
  // Applications may set a property `raw` of their own.
  const { [SCOPE]: scope, raw } = (request ?? {}) as ScopedRequest & { readonly raw?: ScopedRequest };
  return scope ?? raw?.[SCOPE];
}

/** Returns the scope of the same request in the application with these instances. */
export function scopeIn(instances: SessionInstances, at: SessionScope | undefined): SessionScope | undefined {
  return at === undefined || at.instances === instances ? at : scopeIn(instances, at.outer);
}

/**
 * Returns the scope of a handler's context or of a request.
 * @param instances of the application that asks, if it may not be the one that the request reached last
 * @throws SessionError `SESSION_REQUEST_MISSING`
 */
export function scopeOf(source: object | undefined, instances?: SessionInstances): SessionScope {
  const scope = peekScope(source, instances);
  if (scope !== undefined) return scope;
  const host = source as Partial<ArgumentsHost> | undefined;
  const kind = typeof host?.getType === 'function' ? host.getType() : 'http';
  const message =
    kind === 'http'
      ? 'This request has no session. Import SessionModule.forRoot() into the root module, and hand in a request that came through the application. The handshake of a socket did not: in a gateway, import SessionSocketsModule of nestjs-tessera/websockets.'
      : `No session is found in this context of the kind '${kind}'. ${WAYS_OUT.get(kind) ?? OPEN_TOKEN}`;
  throw new SessionError('SESSION_REQUEST_MISSING', message + aboutCopies());
}

/** Same as {@link scopeOf}, but returns `undefined` instead of throwing. */
export function peekScope(from: object | undefined, instances?: SessionInstances): SessionScope | undefined {
  const host = from as Partial<ArgumentsHost> | undefined;
  const isContext = typeof host?.switchToHttp === 'function';
  const kind = isContext ? contextKinds.get(host.getType?.() ?? '') : undefined;
  const request = isContext ? kind?.requestOf(host as ArgumentsHost) : from;
  for (const find of finders) {
    const found = request && find(request);
    const scope = instances === undefined ? found : scopeIn(instances, found);
    if (scope === undefined) continue;
    if (kind?.tellFailure !== undefined) scope.tellFailure = kind.tellFailure;
    return scope;
  }
  return undefined;
}
