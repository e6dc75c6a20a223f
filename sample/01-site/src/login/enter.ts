import type { LoginOptions, Session } from 'nestjs-tessera';
import type { User } from '../users/user';

/**
 * Logs a user in. The library renews the token, so that nothing planted before the login is good for anything after it;
 * what the visitor gathered, the cart above all, stays.
 */
export function enter(session: Session, { id, name, role }: User, options: LoginOptions): void {
  session.login({ id, roles: [role] }, { ...options, constants: { name } });
}
