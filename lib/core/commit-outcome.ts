import type { SessionToken } from './session-token';

/** What a commit wants the client told. The core decides, a transport performs. */
export type CommitOutcome =
  /** Nothing: what the client has stays good, or is not for this request to change. */
  | { readonly kind: 'keep' }
  /** A token, and until when the client may keep it: epoch milliseconds, or `null` for as long as the browser runs. */
  | { readonly kind: 'issue'; readonly token: SessionToken; readonly keepUntil: number | null }
  /** To forget the token it has. */
  | { readonly kind: 'forget' };

export const KEEP: CommitOutcome = Object.freeze({ kind: 'keep' });
export const FORGET: CommitOutcome = Object.freeze({ kind: 'forget' });

/** How a token gets to the client, as far as a commit has to know it. */
export interface Delivery {
  /**
   * `open`: the client can be told. `gone`: it has left, so what would need a new token does not happen. `never`: no answer of this kind
   * carries tokens, so what would need a new one is refused.
   */
  readonly reach: 'open' | 'gone' | 'never';
  /** Why no token can be told, in words for an error message. */
  readonly obstacle?: string | null;
  /** The longest token that can be told, in bytes. */
  readonly capacity: number;
}

/** The caller of the commit is the client, or brings the outcome to it. */
export const DIRECT: Delivery = Object.freeze({ reach: 'open', capacity: Infinity });

/** The outcome when nothing was written. */
export function unwritten({ discard }: { readonly discard: boolean }): CommitOutcome {
  return discard ? FORGET : KEEP;
}
