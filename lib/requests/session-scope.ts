import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { ArgumentsHost } from '@nestjs/common';
import type { Principal } from '../core/principal';
import type { Session } from '../core/session';
import type { SessionWatcher } from '../core/session-draft';
import { SessionError } from '../core/session.errors';
import { SessionHandle, type UnitOfWork } from './session-handle';
import type { SessionInstances } from './session-instance';
import { DEFAULT_SESSION } from './session.tokens';

/** The sessions of one unit of work: a handle for each instance that is touched. What the async context carries. */
export class SessionScope implements SessionWatcher {
  readonly handles: SessionHandle[] = [];
  /** The scope of the same request in the application that this one is inside of. */
  outer: SessionScope | undefined;
  readonly #arrivedAt: number | undefined;
  #isSaving = false;

  constructor(
    readonly instances: SessionInstances,
    readonly unit: UnitOfWork,
  ) {
    this.#arrivedAt = instances.clock?.();
  }

  /**
   * The handle of one instance.
   * @throws SessionError `SESSION_MODULE_MISSING`
   */
  handle(name: string): SessionHandle {
    const existing = this.handles.find(({ instance }) => instance.name === name);
    if (existing !== undefined) return existing;
    const instance = this.instances.get(name);
    const arrivedAt = instance.clock === this.instances.clock ? this.#arrivedAt : undefined;
    const handle = new SessionHandle(instance, this.unit, this, arrivedAt);
    this.handles.push(handle);
    if (this.unit.begin(this.handles.length === 1)) handle.seal(true);
    return handle;
  }

  /** Settles whatever needs no store, and says whether that was all. */
  settle(): boolean {
    let settled = true;
    for (const handle of this.handles) settled = handle.settle() && settled;
    return settled;
  }

  /** Commits every session, also when another's commit fails. */
  commit(): Promise<void> {
    return this.handles.length === 1 ? this.handles[0]!.commit() : this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    const outcomes = await Promise.allSettled(this.handles.map((handle) => handle.commit()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** @param sealed whether the answer has begun; `false` when it was refused before it began */
  seal(sealed = true): void {
    for (const handle of this.handles) handle.seal(sealed);
  }

  /** The answer is over: saves what no commit has, such as what a stream changed in place. */
  finish(): void {
    for (const handle of this.handles) {
      const saving = handle.finish();
      if (saving !== null) this.instances.track(saving);
    }
  }

  /** A session changes after the end: saves it once this turn of the event loop is done. The shutdown waits for it from now on. */
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

/** Key under which a request keeps its scope: Node's own request, which both platforms share. */
const SCOPE = Symbol('nestjs-tessera.scope');

interface Filed {
  [SCOPE]?: SessionScope;
}

/** The scope of the unit of work in hand, for code that was given neither a context nor a request. */
export const currentScope = new AsyncLocalStorage<SessionScope>();

/** Gives a request its scope when code asks for it before the request has come in by its door. Returns `undefined` for what is not its door's. */
export type ScopeFinder = (request: object) => SessionScope | undefined;

/** Asked in this order. A door adds its own. */
export const finders = new Set<ScopeFinder>([findScope]);

/** Keeps a scope under its request. An application inside another one has its own, or its guards would believe the other's logins. */
export function fileScope(request: object, scope: SessionScope): void {
  scope.outer = (request as Filed)[SCOPE];
  (request as Filed)[SCOPE] = scope;
}

/** The scope of a request (Node's own, Express's or Fastify's) in the application that it came into last. */
export function findScope(request: object | undefined): SessionScope | undefined {
  // Applications may keep something of their own under `raw`.
  const { [SCOPE]: scope, raw } = (request ?? {}) as Filed & { readonly raw?: Filed };
  return scope ?? raw?.[SCOPE];
}

/** The scope of the same request in one application. */
export function scopeIn(
  instances: SessionInstances,
  scope: SessionScope | undefined,
): SessionScope | undefined {
  return scope === undefined || scope.instances === instances ? scope : scopeIn(instances, scope.outer);
}

/**
 * The scope of a handler's context or of a request.
 * @param instances of the application that asks, where that is not the one the request came into last
 * @throws SessionError `SESSION_REQUEST_MISSING`
 */
export function scopeOf(
  source: ArgumentsHost | object | undefined,
  instances?: SessionInstances,
): SessionScope {
  const request = requestOf(source);
  for (const find of finders) {
    const found = request && find(request);
    const scope = instances === undefined ? found : scopeIn(instances, found);
    if (scope !== undefined) return scope;
  }
  throw new SessionError(
    'SESSION_REQUEST_MISSING',
    'This request has no session. Import SessionModule.forRoot() into the root module, and hand in a request that came through the application.',
  );
}

/** The session of a handler's request, loaded at the first call. */
export function openSession(context: ArgumentsHost, name: string = DEFAULT_SESSION): Promise<Session> {
  return scopeOf(context).handle(name).open();
}

/** Who is logged in to the session of a handler's request, or `null`. What the application keeps in it is not decoded. */
export async function principalOf(
  context: ArgumentsHost,
  name: string = DEFAULT_SESSION,
): Promise<Principal | null> {
  return (await scopeOf(context).handle(name).find()).principal;
}

/** The one place that knows where each kind of handler keeps its request. */
function requestOf(source: ArgumentsHost | object | undefined): object | undefined {
  const host = source as Partial<ArgumentsHost> | undefined;
  if (typeof host?.switchToHttp !== 'function') return source;
  return host.getType?.() === 'http' ? host.switchToHttp().getRequest<object>() : undefined;
}
