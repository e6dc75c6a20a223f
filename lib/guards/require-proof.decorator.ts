import { SetMetadata, UseGuards, applyDecorators } from '@nestjs/common';
import { parse as parseDuration } from '@lukeed/ms';
import { SessionError } from '../core/session.errors';
import { proofKey, type RequiredProof } from '../decorators/access';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { AuthGuard } from './auth.guard';

/** A number without a unit. */
const DIGITS = /^\s*\d+(\.\d+)?\s*$/;

/**
 * Selects the instance of the module whose session is checked.
 * @inline
 */
export interface GuardedInstance {
  /** The instance whose session is checked. @default 'default' */
  readonly name?: string;
}

/**
 * Allows requests whose principal was authenticated recently, by `login` or `elevate`: for a change of password, or a payment (ASVS 5.0,
 * 7.5.1 and 7.5.3). Also applies `AuthGuard`. When the last proof is older, answers 401 with code `RECENT_LOGIN_REQUIRED` and `maxAge` in seconds
 * (as in RFC 9470): check the credentials again, and call `elevate`.
 * @param maxAge a duration such as `'10m'`, or milliseconds
 * @throws SessionError `SESSION_OPTIONS_INVALID` when it is no such duration
 */
export function RecentLogin(
  maxAge: number | string,
  instance: GuardedInstance = {},
): ClassDecorator & MethodDecorator {
  const hasUnit = typeof maxAge === 'string' && !DIGITS.test(maxAge);
  const milliseconds = hasUnit ? parseDuration(maxAge) : maxAge;
  if (typeof milliseconds !== 'number' || !(milliseconds >= 1 && milliseconds < Infinity))
    throw invalid(`@RecentLogin() needs a duration such as '10m', got ${JSON.stringify(maxAge)}`);
  return requireProof('maxAge', milliseconds, instance);
}

/**
 * Allows requests whose principal was authenticated at this level or a higher one: see `level` of `login`. Also applies `AuthGuard`. Answers
 * 401 with code `LEVEL_REQUIRED` and the `level` (as in RFC 9470): ask for a further factor, and call `elevate` with that level.
 * @throws SessionError `SESSION_OPTIONS_INVALID` unless the level is a whole number from 1
 */
export function RequireLevel(
  level: number,
  instance: GuardedInstance = {},
): ClassDecorator & MethodDecorator {
  if (!Number.isSafeInteger(level) || level < 1)
    throw invalid(`@RequireLevel() needs a whole number from 1, got ${String(level)}`);
  return requireProof('level', level, instance);
}

/**
 * Allows requests whose login is pending (`session.pending`), and no others: for the form and the check of the further factor. Applies
 * `AuthGuard`. Answers 401 without any login, and 403 with code `PENDING_LOGIN_REQUIRED` after a completed one. A handler that requires a login
 * or a proof requires it in a controller with this, too; on the same target it applies instead of this.
 */
export function RequirePending(instance: GuardedInstance = {}): ClassDecorator & MethodDecorator {
  return requireProof('pending', true, instance);
}

function requireProof<K extends keyof RequiredProof>(
  requirement: K,
  value: RequiredProof[K],
  { name = DEFAULT_SESSION }: GuardedInstance,
): ClassDecorator & MethodDecorator {
  const guard = name === DEFAULT_SESSION ? AuthGuard : AuthGuard.for(name);
  return applyDecorators(SetMetadata(proofKey(requirement, name), value), UseGuards(guard));
}

function invalid(message: string): SessionError {
  return new SessionError('SESSION_OPTIONS_INVALID', `${message}.`);
}
