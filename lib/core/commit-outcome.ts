import type { SessionToken } from './session-token';

/** What the client must do after a commit. The core decides it, and a transport writes it. */
export type CommitOutcome =
  /** Nothing: its token stays good, or is not for this request to change. */
  | { readonly kind: 'keep' }
  /** Use a new token. */
  | {
      readonly kind: 'issue';
      /** The credential, which replaces the one that the client has. */
      readonly token: SessionToken;
      /** Until when the client may keep it at most: epoch milliseconds, or `null` for as long as the browser runs. */
      readonly keepUntil: number | null;
    }
  /** Forget its token. */
  | { readonly kind: 'forget' };

export const KEEP: CommitOutcome = Object.freeze({ kind: 'keep' });
export const FORGET: CommitOutcome = Object.freeze({ kind: 'forget' });

/** Whether and how a new token reaches the client. */
export interface Delivery {
  /**
   * `open`: it reaches the client. `gone`: the client has left, so a change that needs a new token is dropped. `never`: no answer of this
   * kind carries a token, so such a change is an error.
   */
  readonly reach: 'open' | 'gone' | 'never';
  /** The reason for `never`, for an error message. */
  readonly obstacle?: string | null;
  /** Maximum length of a token, in bytes. */
  readonly capacity: number;
}

/** For a caller of the commit that passes the outcome to the client itself. */
export const DIRECT: Delivery = Object.freeze({ reach: 'open', capacity: Infinity });

/** No answer of this request reaches the client of the session, so that it cannot get a new token. */
export const UNREACHED: Delivery = Object.freeze({
  reach: 'never',
  capacity: 0,
  obstacle: 'it is the session of another client; let that client log in',
});

/** The outcome when nothing was written. */
export function unwritten({ discard }: { readonly discard: boolean }): CommitOutcome {
  return discard ? FORGET : KEEP;
}
