import type { SecretHash, SessionId } from './session-token';

/**
 * What a store keeps of a session. A store compares `id` and `version`, indexes `principal` and `expiresAt`,
 * and looks inside nothing else.
 */
export interface SessionRecord {
  /** Primary key: 22 characters of base64url. Case matters. */
  readonly id: SessionId;
  /** 1 at insert, one more with each update. */
  readonly version: number;
  /** 43 characters of base64url. */
  readonly secretHash: SecretHash;
  /** `realm:id` of who is logged in, at most 255 characters; `null` for nobody. */
  readonly principal: string | null;
  /** Epoch milliseconds from which the session is dead. */
  readonly expiresAt: number;
  /** Opaque text, free of NUL and of lone surrogates. */
  readonly body: string;
}
