import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, concatMap, from, mergeMap, of, throwError, type Observable } from 'rxjs';
import { RequestSessions } from './request-sessions';
import type { SessionHandle } from './session-handle';

/**
 * Step 2 of 3 on a request's path: the handler is done, so its session is committed now. That makes a failing store an ordinary
 * exception that filters see, and lets streams start committed. Whatever never comes by here, the gate commits.
 */
export class SessionInterceptor implements NestInterceptor {
  constructor(private readonly name: string) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const sessions = RequestSessions.find(context.switchToHttp().getRequest<object>());
    if (sessions === undefined) return next.handle();

    const pending = (): SessionHandle | undefined => {
      const handle = sessions.touched(this.name);
      return handle?.settle() === false ? handle : undefined;
    };
    // The last one first: what a commit throws must not be committed again.
    return next.handle().pipe(
      catchError((error: unknown) => commit(pending(), () => throwError(() => error))),
      concatMap((value: unknown) => commit(pending(), () => of(value))),
    );
  }
}

function commit<T>(handle: SessionHandle | undefined, then: () => Observable<T>): Observable<T> {
  return handle === undefined ? then() : from(handle.commit()).pipe(mergeMap(then));
}
