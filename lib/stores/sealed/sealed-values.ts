import type { SessionRecord } from '../../core/session-record';
import type { SessionToken } from '../../core/session-token';
import type { KeyRing } from './key-ring';
import { fromSealedText, toSealedText } from './sealed-text';

/** What a value turned out to be. */
export type Opening =
  /** Sealed by a key of ours. Its record's `principal` is `null`: who is logged in stands in the body. */
  | { readonly kind: 'genuine'; readonly record: SessionRecord }
  /** Under a header that is none of ours: nothing of it was looked at. */
  | { readonly kind: 'foreign' }
  /** Under one of our headers, and not what we put there. */
  | { readonly kind: 'forged' }
  /** Sealed by a key of ours, by somebody who put something else in it. */
  | { readonly kind: 'corrupt' };

const FOREIGN: Opening = { kind: 'foreign' };
const FORGED: Opening = { kind: 'forged' };
const CORRUPT: Opening = { kind: 'corrupt' };

/** The longest value that is made or looked at, in bytes: with the other headers it must fit into what servers accept. */
export const LONGEST_VALUE = 8192;

/** Three segments or five. */
const COMPACT = /^[\w-]+\.[\w-]*\.[\w-]+(?:\.[\w-]+\.[\w-]+)?$/;

/** Sessions as texts that only we can make, each good for a time. */
export class SealedValues {
  constructor(
    private readonly ring: KeyRing,
    /** How long a value can be good for after it was sealed, in milliseconds, whatever it says of itself. */
    readonly longest: number,
  ) {}

  /** Whether a text could be a value, this ring's or one it has forgotten. */
  hasForm(value: string): boolean {
    return COMPACT.test(value) && value.length <= LONGEST_VALUE;
  }

  /** @param at the instant of sealing, in epoch milliseconds */
  seal(record: SessionRecord, at: number): SessionToken {
    return this.ring.seal(toSealedText(record, at)) as SessionToken;
  }

  open(value: string): Opening {
    const box = value.length > LONGEST_VALUE ? null : this.ring.boxOf(value);
    if (box === null) return FOREIGN;
    const text = box.open(value);
    if (text === null) return FORGED;
    const record = fromSealedText(text, this.longest);
    return record === null ? CORRUPT : { kind: 'genuine', record };
  }

  /** When a value that was sealed at `at` expires, if it is to expire at `expiresAt` at the latest. */
  cap(expiresAt: number, at: number): number {
    return Math.min(expiresAt, at + this.longest);
  }
}
