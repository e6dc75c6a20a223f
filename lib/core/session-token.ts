import { hash, timingSafeEqual } from 'node:crypto';
import { randomText } from './random-text';

/** The public half of a token: names a session in lists, logs and admin calls, and never changes. 16 random bytes, base64url. */
export type SessionId = string & { readonly __brand: 'SessionId' };

/** The whole credential, `<id>.<secret>`. Only a transport may put it into a string that leaves the process. */
export type SessionToken = string & { readonly __brand: 'SessionToken' };

/** SHA-256 of the secret, base64url. All a store ever knows of it (ASVS 11.5.1). */
export type SecretHash = string & { readonly __brand: 'SecretHash' };

/** A token that has the exact form of one, split. Whether it opens anything is for the manager to find out. */
export interface ParsedToken {
  readonly token: SessionToken;
  readonly id: SessionId;
  readonly secretHash: SecretHash;
}

const ID_BYTES = 16;
const SECRET_BYTES = 32;
const ID_LENGTH = 22;
const SECRET_AT = ID_LENGTH + 1;

/** Of a secret's 43 characters: 120 bits. */
const FAMILY_LENGTH = 20;
const FAMILY_HASH_LENGTH = 22;

const ID_FORM = /^[A-Za-z0-9_-]{22}$/;
const TOKEN_FORM = /^[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/;

/** A fresh session's name. */
export function newSessionId(): SessionId {
  return randomText(ID_BYTES) as SessionId;
}

/**
 * A token with a fresh secret for this session.
 * @param realm the instance's name; it is hashed with the secret, so that one named session refuses another's tokens
 */
export function newToken(id: SessionId, realm: string): ParsedToken {
  return withSecret(id, randomText(SECRET_BYTES), realm);
}

/** A token whose secret rotates out of this one's: it keeps the family, and has 136 fresh bits. */
export function rotatedToken({ id, token }: ParsedToken, realm: string): ParsedToken {
  const fresh = randomText(SECRET_BYTES).slice(FAMILY_LENGTH);
  return withSecret(id, token.slice(SECRET_AT, SECRET_AT + FAMILY_LENGTH) + fresh, realm);
}

/** Hash of what a secret has in common with those it rotates into: who has one of them has shown that, if not which. */
export function familyOf({ token, id }: ParsedToken): string {
  const family = token.slice(SECRET_AT, SECRET_AT + FAMILY_LENGTH);
  return hash('sha256', `family.${id}.${family}`, 'base64url').slice(0, FAMILY_HASH_LENGTH);
}

/** Turns what a client sent into a token, or into `null` when it has not the exact form of one. */
export function parseToken(value: string, realm: string): ParsedToken | null {
  if (!TOKEN_FORM.test(value)) return null;
  return withSecret(value.slice(0, ID_LENGTH) as SessionId, value.slice(SECRET_AT), realm);
}

/** Whether a text has the form of an id. What has not was never given out, and need not reach a database, a path or a key. */
export function isSessionId(text: string): text is SessionId {
  return ID_FORM.test(text);
}

const LONGEST_HASH = 43;
const left = Buffer.alloc(LONGEST_HASH);
const right = Buffer.alloc(LONGEST_HASH);

/** Compares two hashes, or beginnings of hashes, in constant time; those of different lengths differ. */
export function sameText(a: string, b: string): boolean {
  if (a.length !== b.length || a.length > LONGEST_HASH) return false;
  left.write(a, 'latin1');
  right.write(b, 'latin1');
  const { length } = a;
  if (length === LONGEST_HASH) return timingSafeEqual(left, right);
  return timingSafeEqual(left.subarray(0, length), right.subarray(0, length));
}

/** Whether two secrets are the same, in constant time. */
export function sameHash(a: SecretHash, b: SecretHash): boolean {
  return a.length === LONGEST_HASH && sameText(a, b);
}

function withSecret(id: SessionId, secret: string, realm: string): ParsedToken {
  const secretHash = hash('sha256', `${realm}.${secret}`, 'base64url') as SecretHash;
  return { token: `${id}.${secret}` as SessionToken, id, secretHash };
}
