import type { ExecutionContext } from '@nestjs/common';
import { perRoute } from './access';
import { scopeOf } from '../requests/session-scope';
import type { SessionHandle } from '../requests/session-handle';
import { DEFAULT_SESSION } from '../requests/session.tokens';

/** Key of a handler's metadata: the names of the instances that it does not touch. */
const UNTOUCHED = Symbol('nestjs-tessera.untouched');

/** Returns the decorator in a form that notes on its handler that requests are no use of the session: guards come before its parameters. */
export function untouching(decorator: ParameterDecorator, name = DEFAULT_SESSION): ParameterDecorator {
  return (target, key, index) => {
    decorator(target, key, index);
    const handler = key === undefined ? undefined : (target as Record<string | symbol, object>)[key];
    if (handler === undefined) return;
    const others = (Reflect.getOwnMetadata(UNTOUCHED, handler) ?? []) as string[];
    Reflect.defineMetadata(UNTOUCHED, [...others, name], handler);
  };
}

const untouchedBy = perRoute(
  (context) => Reflect.getMetadata(UNTOUCHED, context.getHandler()) as readonly string[] | undefined,
);

/** Returns the handle of an instance's session in the request of a handler, as that handler uses it. */
export function handleOf(context: ExecutionContext, name: string): SessionHandle {
  const handle = scopeOf(context).handle(name);
  if (untouchedBy(context)?.includes(name)) handle.leaveIdle();
  return handle;
}
