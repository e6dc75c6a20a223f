import { AsyncLocalStorage } from 'node:async_hooks';
import type { ArgumentsHost } from '@nestjs/common';
import type { Session } from '../core/session';
import { SessionError } from '../core/session.errors';
import type { SessionInstances } from './session-instance';
import type { SessionScope } from './session-scope';
import { DEFAULT_SESSION } from './session.tokens';

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
  const request = isHost(source) ? requestOf(source) : source;
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

/** The one place that knows where each kind of handler keeps its request. */
function requestOf(context: ArgumentsHost): object | undefined {
  return context.getType() === 'http' ? context.switchToHttp().getRequest<object>() : undefined;
}

function isHost(source: ArgumentsHost | object | undefined): source is ArgumentsHost {
  return typeof (source as Partial<ArgumentsHost> | undefined)?.switchToHttp === 'function';
}
