import { readsOf } from './flash-reads';
import { randomText } from './random-text';
import type { SessionDraft } from './session-draft';
import { getOwn, setOwn, type FormFields } from './session-state';

/** Options of `flashInput`. */
export interface FlashInputOptions {
  /** Names of further fields that are not kept, beside those that look like a secret. */
  readonly except?: readonly string[];
}

/** Maximum length of all fields together, in characters. Fields that do not fit are not kept. */
const LONGEST_INPUT = 16_384;

/** Those around a name and a text do not count. */
const QUOTES = 4;

/** A field is not kept whose name has one of these, without regard to case and separators. */
const SECRET =
  /passw|passphrase|passcode|secret|token|credential|apikey|cardnumber|creditcard|recoverycode|backupcode|securityanswer/;

/** A field is not kept whose name has one of these as a word, with or without a number, such as `loginOtp`, `card_cvc` or `pass2`. */
const SECRET_WORD = /^(?:pass|pwd|pw|otp|totp|pin|csrf|xsrf|cvc|cvv|ssn|iban)\d*$/;

/** See `Session.flashInput`. */
export function keepInput(draft: SessionDraft, body: unknown, { except = [] }: FlashInputOptions): void {
  const fields = fieldsOf(body, except);
  const isEmpty = Object.keys(fields).length === 0;
  if (isEmpty && draft.state.own.input === undefined) return draft.assertWritable();
  const id = randomText(6);
  draft.record('data', (state) => {
    const { input: _, ...kept } = state.own;
    state.own = isEmpty ? kept : { ...kept, input: { id, fields } };
  });
}

/** Returns the fields that the last request has kept, and removes them from the session at the first call. */
export function readInput(draft: SessionDraft): FormFields {
  const reads = readsOf(draft);
  const { input } = draft.state.own;
  // One that the request has read already was kept once more by reflash().
  if (input !== undefined && input.id !== reads.input?.id) {
    draft.record('data', (state) => {
      const { input: present, ...kept } = state.own;
      if (present?.id === input.id) state.own = kept;
    });
    reads.input = input;
  }
  return structuredClone(reads.input?.fields ?? {});
}

/** Returns one of these fields, or `undefined`. */
export function readField(draft: SessionDraft, name: string): string | string[] | undefined {
  return getOwn(readInput(draft), name) as string | string[] | undefined;
}

function fieldsOf(body: unknown, except: readonly string[]): FormFields {
  const fields: Record<string, string | string[]> = {};
  let room = LONGEST_INPUT;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return fields;
  for (const [name, value] of Object.entries(body)) {
    if (!isText(value) || except.includes(name) || isSecret(name)) continue;
    // As it is written: quotes and escapes count, or a list of empty texts would have no length.
    const length = JSON.stringify(name).length + JSON.stringify(value).length - QUOTES;
    if (length > room) continue;
    room -= length;
    setOwn(fields, name, Array.isArray(value) ? [...value] : value);
  }
  return fields;
}

function isText(value: unknown): value is string | string[] {
  return [value].flat().every((item) => typeof item === 'string');
}

function isSecret(name: string): boolean {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/);
  return SECRET.test(words.join('')) || words.some((word) => SECRET_WORD.test(word));
}
