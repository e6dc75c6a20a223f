import type { CommitOutcome, Delivery } from './commit-outcome';
import type { Standing } from './secret-history';
import type { SessionDraft } from './session-draft';
import type { SessionRecord } from './session-record';
import type { SessionSettings } from './session-settings';
import type { SessionStore } from './session-store';
import type { ParsedToken, SessionId } from './session-token';
import { SessionError } from './session.errors';

/** What is kept under a token, whatever its secret may still do. */
export type Finding =
  | { readonly kind: 'found'; readonly record: SessionRecord; readonly token: ParsedToken }
  /** It has not the form of a token: nothing was asked, and nothing is to be reported. */
  | { readonly kind: 'malformed' }
  /** It has the form, and names nothing: no such id, or a value that was not made here (`corrupt`: made here with other content). */
  | { readonly kind: 'unknown'; readonly id: SessionId | null; readonly reason: 'unknown' | 'corrupt' };

/** Of a session that was ended although what the client has is genuine: only sealed sessions show that. */
export interface Revoked {
  readonly kind: 'revoked';
}

/**
 * Where sessions are between two requests: in a store, or sealed in their tokens. The manager opens and commits through it. Calls reject
 * with a `SessionStoreError` when a store fails; a call that failed may have happened.
 */
export interface SessionRepository {
  /** Whether a text has the form of a token of this repository. Asks no store. */
  isToken(value: string): boolean;

  /** Reads what is kept under a token. Absence is an answer; an expired record may be found. */
  find(value: string): Promise<Finding>;

  /** What the token of this draft, as it was found, may do. */
  standing(draft: SessionDraft): Standing | Revoked | Promise<Standing | Revoked>;

  /** Stores a session that was not there before. Called again after a failure it leaves no second session behind. */
  insert(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome>;

  /** Stores a session that was there. Where another request was faster, the draft joins it or gives way to it. */
  update(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome>;

  /** The new end of a session that is used and not changed: epoch milliseconds, or `null` when it is not worth a write. */
  extension(draft: SessionDraft): number | null;

  /** Moves the end of a session to its {@link extension}. Does nothing when another request has written meanwhile. */
  extend(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome>;

  /** Sees to it that a session which is about to end outlasts the request that has just opened it; `null` when it does. */
  outlast(draft: SessionDraft): Promise<unknown> | null;

  /** Ends a session for good. Ending one that is over is not an error. */
  end(id: SessionId): Promise<void>;

  /** Ends a session as it was found; resolves `false`, having done nothing, when it has been written to since. */
  endUnchanged(record: SessionRecord): Promise<boolean>;

  /** Removes a session that has expired, as it was found; resolves `false`, having done nothing, when it has been written to since. */
  endExpired(record: SessionRecord): Promise<boolean>;

  /** No requests will come any more. */
  close(): void;
}

/** What may be given in the place of a store: it makes a repository of its own for each instance. */
export interface SessionRepositoryProvider {
  /** The store that it needs all the same, or `null`. The module prepares, sweeps and closes it like a store of sessions. */
  readonly restsOn: SessionStore | null;

  repository(settings: SessionSettings): SessionRepository;
}

export function isRepositoryProvider(store: object): store is SessionRepositoryProvider {
  return typeof (store as Partial<SessionRepositoryProvider>).repository === 'function';
}

/** The refusal of a change that needs a new token where none can be told. */
export function undeliverable({ obstacle }: Delivery): SessionError {
  const why = obstacle ?? 'no answer of this kind carries one; do it in an HTTP request';
  return new SessionError(
    'SESSION_TOKEN_UNDELIVERABLE',
    `The session was not saved, because the client would not learn its new token: ${why}.`,
  );
}

/** Each of these conflicts means that another request succeeded; so many in a row mean that something is wrong. */
export function tooManyConflicts(attempts: number): SessionError {
  return new SessionError(
    'SESSION_CONFLICT',
    `Other requests wrote first ${attempts} times in a row; the session was not written.`,
  );
}
