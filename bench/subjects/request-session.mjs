import { Req, Session } from '@nestjs/common';
import { data } from './data.mjs';
import { defineController } from './define.mjs';

/**
 * The controller for whoever files a session of plain properties as `request.session`, which Nest's own `@Session()` hands over.
 * @param logIn what its manual has for a login: `(request, user)`
 */
export function requestSessionController(logIn) {
  return defineController(
    class {
      untouched() {
        return { hello: 'world' };
      }

      anonymous(session) {
        return { theme: session.theme ?? null };
      }

      begin(session) {
        Object.assign(session, data);
        return { begun: true };
      }

      read(session) {
        return { theme: session.theme };
      }

      write(session) {
        session.visits++;
        return { visits: session.visits };
      }

      async login(session, request) {
        await logIn(request, 'ada');
        return { user: 'ada' };
      }

      user(session) {
        return { user: session.user ?? null };
      }

      guarded(session) {
        return { user: session.user };
      }

      firstWrite(session) {
        session.visits = 1;
        return { visits: 1 };
      }
    },
    { parameters: [Session(), Req()], guard: SessionGuard },
  );
}

class SessionGuard {
  canActivate(context) {
    return context.switchToHttp().getRequest().session.user !== undefined;
  }
}
