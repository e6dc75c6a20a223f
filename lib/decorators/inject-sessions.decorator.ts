import { Inject } from '@nestjs/common';
import { sessionServiceToken } from '../requests/session.tokens';

/** Injects the `SessionService` of a named instance: `constructor(@InjectSessions('admin') private readonly sessions: SessionService)`. */
export function InjectSessions(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(sessionServiceToken(name));
}
