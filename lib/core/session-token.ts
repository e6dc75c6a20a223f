import { hash, timingSafeEqual } from 'node:crypto';
import { randomText } from './random-text';

/** The public part of a token: identifies a session in lists, logs and admin calls, and never changes. 16 random bytes, base64url. */
export type SessionId = string & { readonly __brand: 'SessionId' };

/** The credential, `<id>.<secret>`. Only a transport may send it out of the process. */
export type SessionToken = string & { readonly __brand: 'SessionToken' };

/** SHA-256 of the secret, base64url. A store never gets the secret itself (ASVS 11.5.1). */
export type SecretHash = string & { readonly __brand: 'SecretHash' };

/** The parts of a well-formed token. The manager checks whether it opens a session. */
export interface ParsedToken {
  readonly token: SessionToken;
  readonly id: SessionId;
  readonly secretHash: SecretHash;
  /** The instance's name. */
  readonly realm: string;
}

const ID_BYTES = 16;
const SECRET_BYTES = 32;
const ID_LENGTH = 22;
const SECRET_AT = ID_LENGTH + 1;

/** Number of a secret's 43 characters that rotation keeps: 120 bits. */
const FAMILY_LENGTH = 20;
const FAMILY_HASH_LENGTH = 22;

const ID_FORM = /^[A-Za-z0-9_-]{22}$/;
const TOKEN_FORM = /^[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/;

export function newSessionId(): SessionId {
  return randomText(ID_BYTES) as SessionId;
}

/**
 * Returns a token with a random secret.
 * @param realm the instance's name; it is hashed with the secret, so that an instance refuses the tokens of another
 */
export function newToken(id: SessionId, realm: string): ParsedToken {
  return withSecret(id, randomText(SECRET_BYTES), realm);
}

/** Returns the successor of a token in a rotation: the secret keeps its family and gets 136 new random bits. */
export function rotatedToken({ id, token, realm }: ParsedToken): ParsedToken {
  const fresh = randomText(SECRET_BYTES).slice(FAMILY_LENGTH);
  return withSecret(id, token.slice(SECRET_AT, SECRET_AT + FAMILY_LENGTH) + fresh, realm);
}

/** Returns the hash of a secret's family, the part that rotation keeps. It proves knowledge of one of the family's secrets. */
export function familyOf({ token, id, realm }: ParsedToken): string {
  const family = token.slice(SECRET_AT, SECRET_AT + FAMILY_LENGTH);
  return hash('sha256', `family.${realm}.${id}.${family}`, 'base64url').slice(0, FAMILY_HASH_LENGTH);
}

/** Parses a value that a client sent; returns `null` unless it is a text with the form of a token. */
export function parseToken(value: string, realm: string): ParsedToken | null {
  if (typeof value !== 'string' || !TOKEN_FORM.test(value)) return null;
  return withSecret(value.slice(0, ID_LENGTH) as SessionId, value.slice(SECRET_AT), realm);
}

/** Whether a value is a text with the form of an id. Check foreign values with it before they become part of a query, a path or a key. */
export function isSessionId(value: unknown): value is SessionId {
  return typeof value === 'string' && ID_FORM.test(value);
}

const LONGEST_HASH = 43;
const left = Buffer.alloc(LONGEST_HASH);
const right = Buffer.alloc(LONGEST_HASH);

/** Compares two hashes, or two beginnings of hashes, in constant time. Those of different lengths differ. */
export function sameHash(a: string, b: string): boolean {
  const { length } = a;
  if (length !== b.length || length > LONGEST_HASH) return false;
  left.write(a, 'latin1');
  right.write(b, 'latin1');
  if (length === LONGEST_HASH) return timingSafeEqual(left, right);
  return timingSafeEqual(left.subarray(0, length), right.subarray(0, length));
}

function withSecret(id: SessionId, secret: string, realm: string): ParsedToken {
  const secretHash = hash('sha256', `${realm}.${secret}`, 'base64url') as SecretHash;
  return { token: `${id}.${secret}` as SessionToken, id, secretHash, realm };
}
