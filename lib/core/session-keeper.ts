import type { CommitOutcome } from './commit-outcome';
import type { SessionDraft } from './session-draft';
import type { SessionManagerOptions } from './session-manager';
import type { SessionStore } from './session-store';

/** Where sessions are between two requests, and how they get there. The manager opens and commits through it, and knows no more. */
export interface SessionKeeper {
  /** Whether a text has the form of a token that this keeper gives out. What has not costs nothing, a store call least of all. */
  isToken(value: string): boolean;

  /**
   * Fills the draft if the value opens a session, and leaves it empty if not.
   * @throws SessionStoreError
   */
  load(draft: SessionDraft, value: string): Promise<void>;

  /** The decision for a draft with nothing to write, else `null`: then {@link write}. */
  settled(draft: SessionDraft): CommitOutcome | null;

  /**
   * Writes what the draft holds and says what the client has to be told. The draft is unchanged afterwards.
   * @throws SessionStoreError, SessionTooLargeError, SessionValueError; `SESSION_CONFLICT`
   */
  write(draft: SessionDraft): Promise<CommitOutcome>;

  /** No requests will come any more. */
  close(): void;
}

/** What a keeper is told of the instance it works for. */
export type SessionKeeperOptions = Omit<SessionManagerOptions, 'store'>;

/** What may stand in the place of a store: it brings a keeper of its own. */
export interface SessionKeeping {
  /** The store it needs all the same, or `null`. The module prepares it, sweeps it and closes it as it would a store for sessions. */
  readonly restsOn: SessionStore | null;

  /** Called once for each instance that it is given to. */
  keeper(options: SessionKeeperOptions): SessionKeeper;
}

export function isKeeping(store: object): store is SessionKeeping {
  return typeof (store as Partial<SessionKeeping>).keeper === 'function';
}
