import type { SessionToken } from './session-token';

/** What a commit wants the client told. The core decides, a transport performs. */
export type CommitOutcome =
  /** Nothing: what it has stays good, or is none of this request's business. */
  | { readonly kind: 'keep' }
  /** A token, and until when it may keep it: epoch milliseconds, or `null` for as long as the browser runs. */
  | { readonly kind: 'issue'; readonly token: SessionToken; readonly keepUntil: number | null }
  /** To forget the token it has. */
  | { readonly kind: 'forget' };

export const KEEP: CommitOutcome = Object.freeze({ kind: 'keep' });
export const FORGET: CommitOutcome = Object.freeze({ kind: 'forget' });
