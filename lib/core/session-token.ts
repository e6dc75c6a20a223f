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
  const secret = randomText(SECRET_BYTES);
  return { token: `${id}.${secret}` as SessionToken, id, secretHash: hashSecret(secret, realm) };
}

/** Turns what a client sent into a token, or into `null` when it has not the exact form of one. */
export function parseToken(value: string, realm: string): ParsedToken | null {
  if (!TOKEN_FORM.test(value)) return null;
  return {
    token: value as SessionToken,
    id: value.slice(0, ID_LENGTH) as SessionId,
    secretHash: hashSecret(value.slice(ID_LENGTH + 1), realm),
  };
}

/** Whether a text has the form of an id. What has not was never given out, and need not reach a database, a path or a key. */
export function isSessionId(text: string): text is SessionId {
  return ID_FORM.test(text);
}

const HASH_LENGTH = 43;
const left = Buffer.alloc(HASH_LENGTH);
const right = Buffer.alloc(HASH_LENGTH);

/** Compares in constant time; hashes always have the same length. */
export function sameHash(a: SecretHash, b: SecretHash): boolean {
  if (a.length !== HASH_LENGTH || b.length !== HASH_LENGTH) return false;
  left.write(a, 'latin1');
  right.write(b, 'latin1');
  return timingSafeEqual(left, right);
}

function hashSecret(secret: string, realm: string): SecretHash {
  return hash('sha256', `${realm}.${secret}`, 'base64url') as SecretHash;
}
