import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { SessionService, type Session } from 'nestjs-tessera';
import { map, type Observable } from 'rxjs';
import { frameOf } from './frame';

/** Where `@Page` leaves a page's title. */
export const PAGE_TITLE = Symbol('page title');

const HISTORY_LENGTH = 8;

/** Notes that the page was seen, and puts the frame around what the handler returned. */
@Injectable()
export class PageInterceptor implements NestInterceptor {
  constructor(
    private readonly sessions: SessionService,
    private readonly reflector: Reflector,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler<object>): Promise<Observable<object>> {
    const { path } = context.switchToHttp().getRequest<Request>();
    const title = this.reflector.get<string>(PAGE_TITLE, context.getHandler());
    const session = await this.sessions.of(context);
    return next.handle().pipe(
      map((model) => {
        note(session, path, title);
        return { ...frameOf(session, path, title), ...model };
      }),
    );
  }
}

function note(session: Session, path: string, title: string): void {
  const sight = { path, title, at: new Date() };
  session.update('history', (history = []) => [sight, ...history].slice(0, HISTORY_LENGTH));
}
