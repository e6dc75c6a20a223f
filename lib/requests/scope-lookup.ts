import type { ArgumentsHost } from '@nestjs/common';
import type { Session } from '../core/session';
import { SessionScope } from './session-scope';

/** The name of the instance that `forRoot` makes when it is given none. */
export const DEFAULT_SESSION = 'default';

/** The one place that knows where each kind of handler keeps its request. */
export function sessionsOf(context: ArgumentsHost): SessionScope {
  return SessionScope.of(
    context.getType() === 'http' ? context.switchToHttp().getRequest<object>() : undefined,
  );
}

/** The session of a handler's request, loaded at the first call. */
export function openSession(context: ArgumentsHost, name: string = DEFAULT_SESSION): Promise<Session> {
  return sessionsOf(context).handle(name).open();
}
