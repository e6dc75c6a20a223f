import type { SecretHash, SessionId } from './session-token';

/**
 * The record of a session in a store. A store compares `id` and `version`, and may index `principal` and `expiresAt`. It must treat
 * the other fields as opaque.
 */
export interface SessionRecord {
  /** Primary key: 22 characters of base64url, case-sensitive. */
  readonly id: SessionId;
  /** 1 at insert, incremented by each update. */
  readonly version: number;
  /** 43 characters of base64url. */
  readonly secretHash: SecretHash;
  /** `realm:id` of the logged-in principal, at most 255 characters; `null` without a login. */
  readonly principal: string | null;
  /** The instant from which the session has expired, in epoch milliseconds. */
  readonly expiresAt: number;
  /** Text without NUL and lone surrogates. */
  readonly body: string;
}
