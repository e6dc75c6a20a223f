import type { NextFunction, Request, Response } from 'express';
import type { Session } from 'nestjs-tessera';
import type { Visit } from './history';

export const PAGES: readonly string[] = ['first', 'second', 'third', 'fourth', 'fifth'];

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
  const links = PAGES.map((name) => html`<a href="/${name}">${name}</a> `);
  const user = html`${session.principal?.id}
    <form method="post" action="/logout"><button>Log out</button></form>`;
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <title>${title}</title>
      <nav>
        <a href="/">home</a> ${links} <a href="/history">history</a> <a href="/devices">devices</a>
        ${session.principal === null ? html`<a href="/login">log in</a>` : user}
      </nav>
      <h1>${title}</h1>
      ${notices} ${body}
    </html>`.text;
}

/** The newest first. */
export function historyList(history: readonly Visit[] = []): Html {
  const items = history
    .toReversed()
    .map(
      ({ page: name, at }) =>
        html`<li>${name} <time datetime="${at.toISOString()}">${at.toUTCString()}</time></li>`,
    );
  return html`<ol>
    ${items}
  </ol>`;
}

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
