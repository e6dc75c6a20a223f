import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
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

    return committed(next.handle(), () => {
      const handle = sessions.touched(this.name);
      return handle?.settle() === false ? handle : undefined;
    });
  }
}

/** The same answers in the same order, each after a commit where there is something to commit. By hand, since operators cost twice as much. */
function committed<T>(answers: Observable<T>, pending: () => SessionHandle | undefined): Observable<T> {
  return new Observable<T>((client) => {
    let last: Promise<void> | undefined;
    let answered = false;
    const pass = (tell: () => void): void => {
      if (last === undefined && pending() === undefined) return tell();
      last = (last ?? Promise.resolve())
        .then(() => pending()?.commit())
        .then(tell, (error: unknown) => client.error(error));
    };
    return answers.subscribe({
      next: (answer) => {
        answered = true;
        pass(() => client.next(answer));
      },
      error: (error: unknown) => pass(() => client.error(error)),
      // An answer that had nothing to wait for leaves nothing to wait for.
      complete: () => (answered && last === undefined ? client.complete() : pass(() => client.complete())),
    });
  });
}
