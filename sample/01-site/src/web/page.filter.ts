import {
  Catch,
  HttpException,
  HttpStatus,
  Logger,
  UnauthorizedException,
  type ArgumentsHost,
} from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import type { Request, Response } from 'express';
import { SessionService, type Session } from 'nestjs-tessera';
import { FormException } from './form.exception';
import { bareFrame, frameOf } from './frame';
import { localPath } from './local-path';
import { tell } from './tell';
import { toLogin } from './to-login';

const PAGES: Record<number, { title: string; text: string }> = {
  403: { title: 'This door stays closed', text: 'The site has refused this request.' },
  404: { title: 'Nothing here', text: 'There is no page at this address. It may have moved, or never was.' },
  503: {
    title: 'Back in a moment',
    text: 'We cannot reach our records right now. Nothing of yours is lost; try again.',
  },
};
const OTHER = { title: 'Something broke', text: 'That was our fault, and it has been written down.' };
const REFUSED = { title: 'We cannot do that', text: 'The request was not one we can answer.' };

/** Answers browsers with pages instead of JSON: a form goes back to its page, who must log in is led there, the rest is explained. */
@Catch()
export class PageFilter extends BaseExceptionFilter {
  readonly #logger = new Logger('PageFilter');

  constructor(private readonly sessions: SessionService) {
    super();
  }

  override catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    // A script or a stream that asks for anything gets no page, and no message that the next page is to show.
    if (response.headersSent || request.accepts('json', 'html') !== 'html') return super.catch(error, host);
    // Nest does not wait for filters, so what goes wrong in here has to be caught in here.
    this.#answer(error, request, response, host).catch((failure: unknown) => super.catch(failure, host));
  }

  async #answer(error: unknown, request: Request, response: Response, host: ArgumentsHost): Promise<void> {
    const status = statusOf(error);
    if (status >= 500) this.#logger.error(error);
    // A store that is down is one of the errors shown here.
    const session = await this.sessions.of(request).catch(() => null);
    if (session === null) return show(response, status, bareFrame(pageOf(status).title));
    if (error instanceof FormException) return backToForm(error, session, request, response);
    if (error instanceof UnauthorizedException) return toLogin(error, session, host);
    // A code sent twice, say: the login is complete.
    if (codeOf(error) === 'PENDING_LOGIN_REQUIRED')
      return response.redirect(HttpStatus.SEE_OTHER, '/account');
    show(response, status, frameOf(session, request.path, pageOf(status).title), messageOf(error));
  }
}

function backToForm({ report }: FormException, session: Session, request: Request, response: Response): void {
  tell(session, 'form', report);
  session.flashInput(request.body);
  response.redirect(HttpStatus.SEE_OTHER, localPath(request.originalUrl) ?? '/');
}

function show(response: Response, status: number, frame: object, detail?: string): void {
  response.status(status).render('error', { ...frame, ...pageOf(status), status, detail });
}

function pageOf(status: number): { title: string; text: string } {
  return PAGES[status] ?? (status >= 500 ? OTHER : REFUSED);
}

/** The code of an error of the library. */
function codeOf(error: unknown): string | undefined {
  const body = error instanceof HttpException ? error.getResponse() : null;
  return (Object(body) as { readonly code?: string }).code;
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  // Errors of Express itself, such as a body that cannot be read.
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}

/** Why something was refused. What Nest says of a missing page, or of its own failures, is not written for visitors. */
function messageOf(error: unknown): string | undefined {
  const isRefusal = error instanceof HttpException && error.getStatus() < 500 && error.getStatus() !== 404;
  return isRefusal ? error.message : undefined;
}
