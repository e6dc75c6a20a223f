import type { SessionRecord } from '../../core/session-record';
import type { SessionToken } from '../../core/session-token';
import type { KeyRing } from './key-ring';
import { fromSealedText, toSealedText } from './sealed-text';

/** Result of opening a value. */
export type Opening =
  /** Sealed with one of the keys. The record's `principal` is `null`; the body has it. */
  | { readonly kind: 'genuine'; readonly record: SessionRecord }
  /** The header belongs to none of the keys. The rest was not examined. */
  | { readonly kind: 'foreign' }
  /** The header belongs to one of the keys, but the authentication failed. */
  | { readonly kind: 'forged' }
  /** Sealed with one of the keys, but the content is not a session. */
  | { readonly kind: 'corrupt' };

const FOREIGN: Opening = { kind: 'foreign' };
const FORGED: Opening = { kind: 'forged' };
const CORRUPT: Opening = { kind: 'corrupt' };

/** Maximum length of a value, in bytes. Together with the other headers it must stay below the limits of servers. */
export const LONGEST_VALUE = 8192;

/** Three segments (JWS) or five (JWE). */
const COMPACT = /^[\w-]+\.[\w-]*\.[\w-]+(?:\.[\w-]+\.[\w-]+)?$/;

/** Converts session records to sealed values and back. */
export class SealedValues {
  constructor(
    private readonly ring: KeyRing,
    /** Maximum lifetime of a value after it was sealed, in milliseconds; overrides a later `expiresAt`. */
    readonly longest: number,
  ) {}

  /** Whether a text has the form of a value, including one sealed with a key that was removed since. */
  hasForm(value: string): boolean {
    return typeof value === 'string' && COMPACT.test(value) && value.length <= LONGEST_VALUE;
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

  /** Limits `expiresAt` to the maximum lifetime of a value that is sealed at `at`. */
  cap(expiresAt: number, at: number): number {
    return Math.min(expiresAt, at + this.longest);
  }
}
