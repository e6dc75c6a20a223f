import type { NextFunction, Request, Response } from 'express';
import type { Session } from 'nestjs-tessera';

/** Text that is HTML already. */
export class Html {
  constructor(readonly text: string) {}
}

/** A template whose values are escaped, unless another template has made them. */
export function html(parts: TemplateStringsArray, ...values: unknown[]): Html {
  return new Html(String.raw({ raw: parts }, ...values.map(escaped)));
}

function escaped(value: unknown): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(escaped).join('');
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A whole page, with the messages that the session has for it. */
export function page(title: string, session: Session, body: Html): string {
  const notices = session.messages('notice').map((notice) => html`<p role="alert">${notice}</p>`);
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <title>${title}</title>
      <h1>${title}</h1>
      ${notices} ${body}
    </html>`.text;
}

export const loginForm = (action: string): Html =>
  html`<form method="post" action="${action}">
    <label>Name <input name="name" required autocomplete="username" /></label>
    <label>Password <input name="password" type="password" required autocomplete="current-password" /></label>
    <button>Log in</button>
  </form>`;

/** Instead of an unread message, so that forms which are sent without end do not fill the session. */
export function tell(session: Session, notice: string): void {
  session.messages('notice');
  session.flash('notice', notice);
}

/** No script runs in these pages, no other site frames them, and no cache keeps them. */
export function pageHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({
    'Content-Security-Policy':
      "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  });
  next();
}
