import type { INestApplicationContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { PrincipalInput } from '../core/principal';
import type { LoginOptions } from '../core/login';
import type { Session } from '../core/session';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { SessionInstances } from '../requests/session-instance';

/** The session that a test client starts with. */
export interface TestSession extends LoginOptions {
  /** The principal that is logged in. @default none */
  readonly principal?: PrincipalInput;
  /** Sets the session's data: `(session) => session.set('cart', ['pear'])`. */
  readonly fill?: (session: Session) => void;
  /** The name of the session's instance. @default 'default' */
  readonly name?: string;
}

/**
 * Stores a session in a running application and returns the `Cookie` header of its client, so that a test need not log in first:
 * `fetch(url, { headers: { cookie: await sessionCookie(app, { principal: { id: 7, roles: ['admin'] } }) } })`.
 * @throws SessionError `SESSION_MODULE_MISSING`; what `login` and `set` throw; TypeError when the instance's token travels in no cookie
 */
export async function sessionCookie(
  app: INestApplicationContext,
  { principal, fill, name = DEFAULT_SESSION, ...login }: TestSession = {},
): Promise<string> {
  const { manager, transport, clock } = SessionInstances.of(app.get(HttpAdapterHost)).get(name);
  const session = await manager.open(null);
  fill?.(session);
  if (principal !== undefined) session.login(principal, login);
  const decision = await manager.commit(session);
  if (decision.kind !== 'issue') return '';
  const lines: string[] = [];
  const set = (header: string, values: string[]): void =>
    void (header.toLowerCase() === 'set-cookie' && lines.push(...values));
  transport.write({ get: () => [], set }, decision, clock());
  if (lines.length === 0)
    throw new TypeError(
      `sessionCookie() makes cookies, and the instance '${name}' carries its token otherwise: ${transport.channel}.`,
    );
  return lines.map((line) => line.split(';', 1)[0]!).join('; ');
}
