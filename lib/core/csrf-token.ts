import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { SessionDraft } from './session-draft';
import type { SessionState } from './session-state';

const VALUE_BYTES = 32;
const VALUE_FORM = /^[\w-]{43}$/;
/** Base64url of a mask and a masked value. */
const TOKEN_FORM = /^[\w-]{86}$/;

/**
 * Number of values that a session keeps. It has more than one after requests that read its first token at the same time: each has told its
 * client another one.
 */
const VALUES_KEPT = 8;

/** See `Session.csrfToken`. The value is masked anew each time, so that compression of pages does not reveal it (BREACH). */
export function csrfTokenOf(draft: SessionDraft): string {
  const [known] = valuesIn(draft.state);
  return masked(Buffer.from(known ?? addValue(draft), 'base64url'));
}

/** Whether a text is a token of this session. Takes the same time for each text of the right form. */
export function isCsrfToken({ state }: SessionDraft, token: string): boolean {
  if (!TOKEN_FORM.test(token)) return false;
  const bytes = Buffer.from(token, 'base64url');
  const value = xor(bytes.subarray(0, VALUE_BYTES), bytes.subarray(VALUE_BYTES));
  let matches = 0;
  for (const known of valuesIn(state))
    matches |= Number(timingSafeEqual(value, Buffer.from(known, 'base64url')));
  return matches === 1;
}

function addValue(draft: SessionDraft): string {
  const value = randomBytes(VALUE_BYTES).toString('base64url');
  draft.record('data', (state) => {
    const others = valuesIn(state).filter((other) => other !== value);
    state.own = { ...state.own, csrf: [...others, value].slice(-VALUES_KEPT) };
  });
  return value;
}

function valuesIn({ own }: SessionState): readonly string[] {
  const kept: unknown = own.csrf;
  return Array.isArray(kept)
    ? kept.filter((value): value is string => typeof value === 'string' && VALUE_FORM.test(value))
    : [];
}

function masked(value: Uint8Array): string {
  const mask = randomBytes(VALUE_BYTES);
  return Buffer.concat([mask, xor(mask, value)]).toString('base64url');
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ b[index]!));
}
