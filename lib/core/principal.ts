import { SessionError } from './session.errors';

/** The realm of a principal that names none. */
export const DEFAULT_REALM = 'default';

/** Longest `realm:id` a store has to index, in UTF-16 code units. */
const MAX_KEY_LENGTH = 255;

/** NUL and lone surrogates do not survive every database's text column. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** Who is logged in. */
export interface Principal {
  /** The user's id, as a string whatever was given to `login`. */
  readonly id: string;
  /** The population the id belongs to: user 7 of one realm is never user 7 of another. @default 'default' */
  readonly realm: string;
  /** What `@RequireRoles(...)` looks at. @default [] */
  readonly roles: readonly string[];
}

/** What `login` accepts. A numeric id becomes its decimal string. */
export interface PrincipalInput {
  readonly id: string | number | bigint;
  readonly realm?: string;
  readonly roles?: readonly string[];
}

/**
 * The checked form of what an application calls its user.
 * @throws SessionError `PRINCIPAL_INVALID` for an empty id, a realm with a colon, or more than 255 characters.
 */
export function toPrincipal(input: PrincipalInput): Principal {
  if (typeof input !== 'object' || input === null) throw refuse('it is not an object');
  const principal = { id: idOf(input.id), realm: input.realm ?? DEFAULT_REALM, roles: toRoles(input.roles) };
  if (typeof principal.realm !== 'string') throw refuse('its realm is not a string');
  if (principal.realm === '' || principal.realm.includes(':') || UNSTORABLE.test(principal.realm)) {
    throw refuse(
      `its realm ${JSON.stringify(principal.realm)} is empty, or has a colon, a NUL or a lone surrogate`,
    );
  }
  if (principalKey(principal).length > MAX_KEY_LENGTH)
    throw refuse(`realm and id together exceed ${MAX_KEY_LENGTH} characters`);
  return Object.freeze(principal);
}

/** Roles as an immutable list of their own, so that nobody's array can change them later. */
export function toRoles(roles: readonly string[] = []): readonly string[] {
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string'))
    throw refuse('its roles are not a list of strings');
  return Object.freeze([...roles]);
}

/** `realm:id`, the form a store indexes. Unambiguous, because a realm has no colon. */
export function principalKey({ realm, id }: Pick<Principal, 'realm' | 'id'>): string {
  return `${realm}:${id}`;
}

function idOf(id: PrincipalInput['id']): string {
  const valid = (typeof id === 'string' && id !== '') || typeof id === 'bigint' || Number.isSafeInteger(id);
  if (!valid) throw refuse('its id is not a non-empty string, a safe integer or a bigint');
  const text = String(id);
  if (UNSTORABLE.test(text)) throw refuse('its id has a NUL or a lone surrogate');
  return text;
}

function refuse(reason: string): SessionError {
  return new SessionError(
    'PRINCIPAL_INVALID',
    `This principal cannot log in: ${reason}. Pass login({ id, realm?, roles? }).`,
  );
}
