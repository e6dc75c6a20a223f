import type { INestApplicationContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Device } from '../core/device';
import type { LoginOptions } from '../core/login';
import type { PrincipalInput } from '../core/principal';
import { draftOf } from '../core/session';
import type { SessionData } from '../core/session-data';
import { SessionInstances } from '../requests/session-instance';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import type { TokenAnswer } from '../transports/session-transport';
import { TestClient } from './test-client';

/** The session of a client that {@link actingAs} makes. */
export interface ActingOptions extends LoginOptions {
  /** The values of the session, by key. @default empty */
  readonly data?: Partial<SessionData>;
  /** The client that logged in, for lists of sessions: its label, or a label and an address. @default none */
  readonly device?: string | Device;
  /** The name of the session's instance. @default 'default' */
  readonly name?: string;
}

/**
 * Stores a session in a running application, and returns its client, so that a test need not log in first:
 *
 * ```ts
 * const ada = await actingAs(app, { id: 7, roles: ['admin'] }, { data: { cart: ['pear'] } });
 * await request(app.getHttpServer()).get('/me').set(ada.headers).expect(200);
 * ```
 *
 * @param principal who is logged in; `null` for a visitor with data
 * @throws SessionError `SESSION_MODULE_MISSING`; what `login`, `set` and a commit throw; TypeError for a visitor without data, and for a
 * transport of your own whose token cannot be sent
 */
export async function actingAs(
  app: INestApplicationContext,
  principal: PrincipalInput | null,
  { data = {}, device, name = DEFAULT_SESSION, ...login }: ActingOptions = {},
): Promise<TestClient> {
  const instance = SessionInstances.of(app.get(HttpAdapterHost)).get(name);
  const { manager, transport, csrf } = instance;
  const session = await manager.open(null);
  for (const [key, value] of Object.entries(data)) session.set(key as never, value as never);
  if (device !== undefined) draftOf(session).device = () => toDevice(device);
  if (principal !== null) session.login(principal, login);
  if (session.status === 'unchanged')
    throw new TypeError('actingAs() needs a principal or data: a visitor without data has no session.');
  // After the login, which changes it.
  const csrfToken = csrf.token ? session.csrfToken() : null;
  const outcome = await manager.commit(session, { reach: 'open', capacity: transport.capacity() });
  // That of a new session always has its token.
  const answer = outcome as Extract<TokenAnswer, { kind: 'issue' }>;
  return new TestClient(session.id, answer, instance, csrfToken);
}

function toDevice(device: string | Device): Device {
  return typeof device === 'string' ? { label: device, address: null } : device;
}
