import type { ArgumentsHost, UnauthorizedException } from '@nestjs/common';
import { HttpStatus } from '@nestjs/common';
import type { Response } from 'express';
import { LoginRedirectFilter, type Session } from 'nestjs-tessera';
import { tell } from './tell';
import { whyLogIn } from './why-ended';

/** Where a visitor goes whom a guard refuses, by the code of its 401, and what is said there. */
const REFUSALS: Readonly<Record<string, { readonly page: string; readonly words: string }>> = {
  LOGIN_PENDING: { page: '/login/code', words: 'Enter the code that your app shows to go on.' },
  RECENT_LOGIN_REQUIRED: {
    page: '/account/confirm',
    words: 'You logged in a while ago. Enter your password to go on.',
  },
  SESSION_LOGIN_OUTDATED: {
    page: '/login',
    words: 'The password was changed in the meantime. Log in with the new one.',
  },
};
const NO_LOGIN = { page: '/login', words: 'Log in to go on.' };

const pages = Object.fromEntries(Object.entries(REFUSALS).map(([code, { page }]) => [code, page]));

/** Remembers a refused page for `sessions.intended()`. What was posted is not sent again: another page is next. */
const redirect = new LoginRedirectFilter('/login', { pages, otherwise: { catch: leave } });

/**
 * Answers a 401 with the way to the page where what is missing can be had. Why the session of before has ended can be told in this request
 * alone, since the redirect gives the client another session; the message in it is for the next page.
 */
export function toLogin(error: UnauthorizedException, session: Session, host: ArgumentsHost): void {
  tell(session, 'warning', whyLogIn(session.endedBecause) ?? refusalOf(error).words);
  redirect.catch(error, host);
}

function leave(error: UnauthorizedException, host: ArgumentsHost): void {
  const response = host.switchToHttp().getResponse<Response>();
  response.redirect(HttpStatus.SEE_OTHER, refusalOf(error).page);
}

function refusalOf(error: UnauthorizedException): { readonly page: string; readonly words: string } {
  const { code = '' } = error.getResponse() as { readonly code?: string };
  return REFUSALS[code] ?? NO_LOGIN;
}
