import { MAX_NESTING, isJsonValue, isPlainObject } from './json-value';
import type { ClaimValues } from './session-data';
import { SessionError } from './session.errors';

/** The realm of a principal without one. */
export const DEFAULT_REALM = 'default';

/** Maximum length of `realm:id`, which stores index, in UTF-16 code units. */
const MAX_KEY_LENGTH = 255;

/** Some databases cannot store NUL or lone surrogates in text columns. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

const FIELDS = ['id', 'realm', 'roles', 'claims'];

/** The logged-in user. */
export interface Principal {
  /** The user's id. Always a string, even if `login` got a number. */
  readonly id: string;
  /** The namespace of the id: equal ids of different realms are different users. @default 'default' */
  readonly realm: string;
  /** Roles, checked by `@RequireRoles(...)`. @default [] */
  readonly roles: readonly string[];
  /** What the login keeps beside id and roles, such as a tenant or permissions: see `PrincipalClaims`. Absent without any. */
  readonly claims?: ClaimValues;
}

/** The principal as passed to `login`. A numeric id is converted to its decimal string. */
export interface PrincipalInput {
  /** The user's id: a text that is not empty, a safe integer or a bigint. */
  readonly id: string | number | bigint;
  /** The namespace of the id: equal ids of different realms are different users. Without a colon. @default 'default' */
  readonly realm?: string;
  /** Roles, checked by `@RequireRoles(...)`. @default [] */
  readonly roles?: readonly string[];
  /** JSON values. They are read with every request, so keep them small. */
  readonly claims?: ClaimValues;
}

/**
 * Validates a principal, and returns it with defaults, frozen.
 * @throws SessionError `PRINCIPAL_INVALID`, for example for an empty id, a realm with a colon, or a key of more than 255 characters
 */
export function toPrincipal(input: PrincipalInput): Principal {
  if (typeof input !== 'object' || input === null) throw invalidPrincipal('it must be an object');
  const { realm = DEFAULT_REALM, roles, claims } = input;
  const principal: Principal = {
    ...{ id: idOf(input.id), realm, roles: toRoles(roles) },
    ...(claims !== undefined && { claims: toClaims(claims) }),
  };
  if (typeof principal.realm !== 'string') throw invalidPrincipal('its realm must be a string');
  if (principal.realm === '' || principal.realm.includes(':') || UNSTORABLE.test(principal.realm))
    throw invalidPrincipal(
      `its realm must not be empty or have a colon, a NUL or a lone surrogate, got ${JSON.stringify(principal.realm)}`,
    );
  if (principalKey(principal).length > MAX_KEY_LENGTH)
    throw invalidPrincipal(`realm:id must have at most ${MAX_KEY_LENGTH} characters`);
  return Object.freeze(principal);
}

/**
 * Refuses a principal with other fields, which a login would lose.
 * @throws SessionError `PRINCIPAL_INVALID`
 */
export function assertOnlyPrincipal(input: PrincipalInput): void {
  const others = Object.keys(input).filter((key) => !FIELDS.includes(key));
  if (others.length > 0)
    throw invalidPrincipal(
      `it would lose ${others.join(', ')}; put them into claims, or look them up by the id`,
    );
}

/** Returns a frozen copy of the roles. */
export function toRoles(roles: readonly string[] = []): readonly string[] {
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string'))
    throw invalidPrincipal('its roles must be an array of strings');
  return Object.freeze([...roles]);
}

/** Returns a frozen copy of the claims. */
function toClaims(claims: ClaimValues): ClaimValues {
  const copy = copyOf(claims);
  if (copy === undefined || !isPlainObject(claims) || !isJsonValue(claims))
    throw invalidPrincipal(
      `its claims must be an object of JSON values, which come back from the store as they were, nested at most ${MAX_NESTING} levels deep`,
    );
  return frozen(copy) as ClaimValues;
}

/** Returns `undefined` for what JSON cannot express, such as a circle. */
function copyOf(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    return undefined;
  }
}

/** Freezes an object with all that it contains. */
export function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

/** Returns `realm:id`, which stores index. It is unambiguous, because a realm has no colon. */
export function principalKey({ realm, id }: Pick<Principal, 'realm' | 'id'>): string {
  return `${realm}:${id}`;
}

function idOf(id: PrincipalInput['id']): string {
  const valid = (typeof id === 'string' && id !== '') || typeof id === 'bigint' || Number.isSafeInteger(id);
  if (!valid) throw invalidPrincipal('its id must be a non-empty string, a safe integer or a bigint');
  const text = String(id);
  if (UNSTORABLE.test(text)) throw invalidPrincipal('its id must not have a NUL or a lone surrogate');
  return text;
}

function invalidPrincipal(reason: string): SessionError {
  return new SessionError(
    'PRINCIPAL_INVALID',
    `The principal is invalid: ${reason}. Pass login({ id, realm?, roles?, claims? }).`,
  );
}
