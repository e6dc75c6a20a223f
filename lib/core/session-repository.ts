import type { CommitOutcome, Delivery } from './commit-outcome';
import type { EndReason } from './ended-session';
import type { Revocation } from './principal-revocations';
import type { Standing } from './secret-history';
import type { SessionDraft } from './session-draft';
import type { SessionRecord } from './session-record';
import type { SessionSettings } from './session-settings';
import type { SessionStore } from './session-store';
import type { ParsedToken, SessionId } from './session-token';
import type { LoginSource } from './watched-login';
import { SessionError } from './session.errors';

/** What is stored under a token, whatever its secret may still do. */
export type Finding =
  | { readonly kind: 'found'; readonly record: SessionRecord; readonly token: ParsedToken }
  /** It does not have the form of a token. The store was not called, and no event is emitted. */
  | { readonly kind: 'malformed' }
  /** No session has this id, or the value was not made here (`corrupt`: it was made here, with other content). */
  | { readonly kind: 'unknown'; readonly id: SessionId | null; readonly reason: 'unknown' | 'corrupt' };

/** The session was ended although the client's value is genuine. Only sealed sessions have it. */
export interface Revoked {
  readonly kind: 'revoked';
}

/**
 * Where sessions are between two requests: in a store, or sealed in their tokens. The manager opens and commits through it. Calls reject
 * with a `SessionStoreError` when a store fails; a call that failed may have taken effect.
 */
export interface SessionRepository {
  /** Tells which logins have ended. */
  readonly logins: LoginSource;

  /** Whether a text has the form of a token of this repository. Calls no store. */
  isToken(value: string): boolean;

  /** Reads what is stored under a token. Absence is not an error; may return an expired record. */
  find(value: string): Promise<Finding>;

  /** Reads a session again that a token has opened, whatever token it has now. A sealed one is as it was. */
  reread(token: ParsedToken): Promise<Finding>;

  /** Returns what the token of a loaded draft may do. */
  standing(draft: SessionDraft): Standing | Revoked | Promise<Standing | Revoked>;

  /** Stores a new session. Another call after a failure must not leave a second session behind. */
  insert(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome>;

  /** Stores a changed session. When another request wrote first, the draft joins what it wrote, or gives way to it. */
  update(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome>;

  /** Returns the login of a draft whose outcome is unknown: it may be stored, under a token that no client has. `null` for none. */
  lostLogin(draft: SessionDraft): SessionRecord | null;

  /** The new expiry of a session that is used and not changed, in epoch milliseconds; `null` when it is not worth a write. */
  extension(draft: SessionDraft): number | null;

  /** Sets the expiry to {@link extension}. Does nothing when another request wrote first. */
  extend(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome>;

  /** Extends a session that has just been opened and could expire during the request. */
  outlast(draft: SessionDraft): Promise<unknown>;

  /** Ends a session, also when it was written to since it was read. Absence is not an error. */
  end(record: SessionRecord): Promise<void>;

  /**
   * Ends every session of a principal, and records when. A login under way then either ends with them or finds the record.
   * @param kept a session that stays
   * @param reason what the clients of the others are told
   * @returns what the client of the session that stays must do
   */
  endAll(principal: string, kept: SessionDraft | null, reason: EndReason): Promise<CommitOutcome>;

  /** Records the present as an instant after which logins must have begun, as {@link endAll} does, and ends none. */
  outdateLogins(principal: string): Promise<void>;

  /** Returns when {@link endAll} was last called for a principal, for as long as a login may be under way that began before; else `null`. */
  revocationOf(principal: string): Promise<Revocation | null>;

  /** Ends a session as it was read. Returns `false`, and does nothing, when it was written to since. */
  endUnchanged(record: SessionRecord): Promise<boolean>;

  /** The same for a session that has expired. */
  endExpired(record: SessionRecord): Promise<boolean>;

  /** The same, and keeps the reason for its client: see `endedRecord`. */
  endAs(record: SessionRecord, reason: EndReason): Promise<boolean>;

  /**
   * Returns the sessions of a principal; may include expired ones.
   * @throws SessionError `SESSION_OPTIONS_INVALID` when they cannot be found; the same below
   */
  ofPrincipal(principal: string): Promise<SessionRecord[]>;

  /** Returns the session with this id without its token; `null` when there is none. */
  get(id: SessionId): Promise<SessionRecord | null>;

  /** Yields the records of all sessions, and others that the library keeps beside them. */
  records(): AsyncIterable<SessionRecord>;

  /** Removes expired records, at most `limit`, and returns their number; fewer when none are left. */
  sweep(limit: number): Promise<number>;

  /** Called when no more requests come. */
  close(): void;
}

/** Passed in place of a store: makes the repository of each instance. */
export interface SessionRepositoryProvider {
  /** The store that it uses, or `null`. The module prepares, sweeps and closes it like a store of sessions. */
  readonly restsOn: SessionStore | null;

  /** @internal Returns the repository of one instance. Called once for each. */
  repository(settings: SessionSettings): SessionRepository;
}

export function isRepositoryProvider(store: object): store is SessionRepositoryProvider {
  return typeof (store as Partial<SessionRepositoryProvider>).repository === 'function';
}

/** The error of a change that needs a new token when no answer can carry one. */
export function undeliverable({ obstacle }: Delivery): SessionError {
  const why = obstacle ?? 'no answer of this kind carries one; do it in an HTTP request';
  return new SessionError(
    'SESSION_TOKEN_UNDELIVERABLE',
    `The session was not saved, because the client would not learn its new token: ${why}.`,
  );
}

export function isUndeliverable(error: unknown): boolean {
  const { code } = ((error as Partial<Error>)?.cause ?? error) as { code?: unknown };
  return code === 'SESSION_TOKEN_UNDELIVERABLE';
}
