import { check, isDictionary, isNumberOrNull, isText } from './body-checks';
import { decodeDetails, decodePrincipal, decodeRights } from './encoded-rights';
import { encodeDetails, encodePrincipal, encodeRights } from './encoded-rights';
import type { EncodedDetails, EncodedPrincipal, EncodedRights } from './encoded-rights';
import type { Principal } from './principal';
import { DEFAULT_LEVEL } from './rights';
import { isReplacement, type FormerSecret, type SecretHistory } from './secret-history';
import { UnsupportedValue, type SessionCodec } from './session-codec';
import { newState, type FlashEntry, type OwnValues, type SessionState } from './session-state';
import { SessionError } from './session.errors';

/** The newest format that this release reads. The record of a newer format is not changed. */
const FORMAT = 2;
/** Of sessions that each release reads in the same way. */
const PREFIX = '1\n';
/**
 * Of a session with facts about its login that the first release does not know. It would take a pending or locked login for a complete one,
 * and so reads none, while both run side by side.
 */
const PREFIX_OF_DETAILS = `${FORMAT}\n`;
/** From here on, formats are those of the library's other records: see `endedRecord` and `PrincipalRevocations`. */
const FIRST_OF_OTHERS = 999_999_990;

/** What is composed without escapes must have this form: the beginning of a hash in base64url, marked for a family. */
const HASH_FORM = /^~?[\w-]{22}$/;

/** Thrown for a body that this release cannot read. */
export class UnreadableBody extends SessionError {
  constructor(
    readonly newer: boolean,
    options?: ErrorOptions,
  ) {
    const why = newer ? 'was written by a newer release' : 'is corrupt';
    super('SESSION_RECORD_UNREADABLE', `The record of a session ${why}.`, options);
  }
}

type EncodedSecret = readonly [
  hash: string,
  by: FormerSecret['by'],
  at: number,
  successorSeenAt: number | null,
  rights?: EncodedRights,
];

/** The second line of a body. An anonymous session has the first five only, until its secret is replaced. */
type EncodedFacts = [
  createdAt: number,
  lastSeenAt: number,
  deadline: number,
  idleTimeout: number | null,
  /** 1 if remembered, plus 2 if the application has set the deadline, plus 4 if the idle timeout locks the login. */
  flags: number,
  authenticatedAt?: number | null,
  principal?: EncodedPrincipal | null,
  startedAt?: number,
  secrets?: readonly [issuedAt: number, family: string | null, ...former: readonly EncodedSecret[]] | null,
  details?: EncodedDetails,
];

/** The third line of a body, as the codec gets it. Most sessions have data only. */
type EncodedContent = readonly [
  data: Record<string, unknown>,
  constants?: Record<string, string>,
  messages?: FlashEntry[],
  merged?: Record<string, number>,
  receipts?: string | null,
  own?: OwnValues,
];

/** The maximum depth at which a body has a value. A value accepted by itself must not be refused later as nested too deep. */
const NESTING = 4;

/** @throws UnsupportedValue */
export function encodeValue(value: unknown, codec: SessionCodec): string {
  try {
    return codec.encode([[[[value]]]]);
  } catch (error) {
    if (error instanceof UnsupportedValue) error.path = error.path.slice('[0]'.length * NESTING);
    throw error;
  }
}

/** Decodes a text made by {@link encodeValue}. */
export function decodeValue(text: string, codec: SessionCodec): unknown {
  return (codec.decode(text) as [[[[unknown]]]])[0][0][0][0];
}

/** Returns three lines: the format, the session's facts as JSON, and its content as encoded by the codec. */
export function encodeBody(state: SessionState, codec: SessionCodec): string {
  const { createdAt, lastSeenAt, deadline, idleTimeout, remembered, principal } = state;
  const { issuedAt, family, former } = state.secrets;
  const hasHistory = former.length > 0 || family !== null || issuedAt !== createdAt;
  const flags = (remembered ? 1 : 0) + (state.hasOwnDeadline ? 2 : 0) + (state.isLocking ? 4 : 0);
  // Numbers and `null` are the same text in a template as in JSON.
  let facts = `${createdAt},${lastSeenAt},${deadline},${idleTimeout},${flags}`;
  if (principal !== null || hasHistory)
    facts += `,${state.authenticatedAt},${JSON.stringify(encodePrincipal(principal))},${state.startedAt}`;
  const details = principal === null ? null : encodeDetails(state, state.device);
  if (hasHistory) facts += `,[${issuedAt},${family && `"${family}"`}${former.map(encodeSecret).join('')}]`;
  else if (details !== null) facts += ',null';
  if (details !== null) facts += `,${JSON.stringify(details)}`;
  const isPlain =
    details === null && !state.isLocking && hasNoClaims(principal) && former.every(isPlainSecret);
  return `${isPlain ? PREFIX : PREFIX_OF_DETAILS}[${facts}]\n${encodeContent(state, codec)}`;
}

function hasNoClaims(principal: Principal | null): boolean {
  return principal?.claims === undefined;
}

/** Whether the first release knows all that is noted of a former secret. */
function isPlainSecret({ by, rights }: FormerSecret): boolean {
  if (rights === null || rights.principal === null) return by !== 'act';
  return by !== 'act' && hasNoClaims(rights.principal) && encodeDetails(rights, null) === null;
}

export function encodeContent(state: SessionState, codec: SessionCodec): string {
  return state.encodedContent ?? codec.encode(contentOf(state));
}

/** Composed by hand, because each request after a login does it: `JSON.stringify` takes three times as long. Hashes need no escapes. */
function encodeSecret({ hash, by, at, successorSeenAt, rights }: FormerSecret): string {
  const kept = rights && `,${JSON.stringify(encodeRights(rights))}`;
  return `,["${hash}","${by}",${at},${successorSeenAt}${kept ?? ''}]`;
}

function contentOf({ data, constants, messages, merged, receipts, own }: SessionState): EncodedContent {
  if (Object.keys(own).length > 0) return [data, constants, messages, merged, receipts, own];
  if (receipts !== null) return [data, constants, messages, merged, receipts];
  const isPlain =
    messages.length === 0 && Object.keys(constants).length === 0 && Object.keys(merged).length === 0;
  return isPlain ? [data] : [data, constants, messages, merged];
}

/**
 * Decodes the facts of a session. Its content stays encoded until {@link decodeContent}.
 * @throws UnreadableBody
 */
export function decodeFacts(body: string): SessionState {
  const factsAt = body.indexOf('\n') + 1;
  const contentAt = body.indexOf('\n', factsAt) + 1;
  if (!body.startsWith(PREFIX) && !body.startsWith(PREFIX_OF_DETAILS))
    throw new UnreadableBody(isNewer(body.slice(0, Math.max(0, factsAt - 1))));
  if (contentAt === 0) throw new UnreadableBody(false);
  try {
    const facts = JSON.parse(body.slice(factsAt, contentAt - 1)) as EncodedFacts;
    // By index, which costs a quarter of taking the array apart.
    const createdAt = facts[0];
    const state = newState(createdAt, { lifetime: 0, idleTimeout: facts[3] });
    state.lastSeenAt = facts[1];
    state.deadline = facts[2];
    state.remembered = (facts[4] & 1) === 1;
    state.hasOwnDeadline = (facts[4] & 2) === 2;
    state.isLocking = (facts[4] & 4) === 4;
    state.authenticatedAt = facts[5] ?? null;
    if (facts[6] != null) {
      state.principal = decodePrincipal(facts[6]);
      state.level = DEFAULT_LEVEL;
    }
    state.startedAt = facts[7] ?? createdAt;
    if (facts[8] != null) state.secrets = decodeSecrets(facts[8]);
    if (facts.length > 9) Object.assign(state, decodeDetails(facts[9]!));
    state.encodedContent = body.slice(contentAt);
    const { lastSeenAt, deadline, startedAt, idleTimeout, authenticatedAt } = state;
    check(Number.isFinite(createdAt) && Number.isFinite(lastSeenAt) && Number.isFinite(deadline));
    check(Number.isFinite(startedAt) && isNumberOrNull(idleTimeout) && isNumberOrNull(authenticatedAt));
    return state;
  } catch (cause) {
    throw corrupt(cause);
  }
}

/**
 * Decodes the content of a state made by {@link decodeFacts}, unless it is decoded already.
 * @throws UnreadableBody
 */
export function decodeContent(state: SessionState, codec: SessionCodec): void {
  if (state.encodedContent === null) return;
  try {
    const content = codec.decode(state.encodedContent) as EncodedContent;
    check(isDictionary(content[0]));
    if (content.length > 1) {
      const [, constants = {}, messages = [], merged = {}, receipts = null, own = {}] = content;
      check(isSound(constants, messages, merged) && isDictionary(own));
      Object.assign(state, { constants, messages, merged, receipts, own });
    }
    state.data = content[0];
    state.encodedContent = null;
  } catch (cause) {
    throw corrupt(cause);
  }
}

/** @throws UnreadableBody */
export function decodeBody(body: string, codec: SessionCodec): SessionState {
  const state = decodeFacts(body);
  decodeContent(state, codec);
  return state;
}

/** Whether a body is that of a session, and this release cannot read it. */
export function isOfNewerRelease(body: string): boolean {
  const format = body.slice(0, Math.max(0, body.indexOf('\n')));
  return isNewer(format) && Number(format) < FIRST_OF_OTHERS;
}

function isNewer(format: string): boolean {
  return /^\d{1,9}$/.test(format) && Number(format) > FORMAT;
}

/** Has only the name of the parser's error as its cause, because the message of that error quotes session data. */
function corrupt(cause: unknown): UnreadableBody {
  return new UnreadableBody(false, { cause: new TypeError(cause instanceof Error ? cause.name : 'unknown') });
}

function decodeSecrets(encoded: NonNullable<EncodedFacts[8]>): SecretHistory {
  const issuedAt = encoded[0];
  const family = encoded[1];
  check(Number.isFinite(issuedAt) && (family === null || isHash(family)));
  const former: FormerSecret[] = [];
  for (let i = 2; i < encoded.length; i++) former.push(decodeSecret(encoded[i] as EncodedSecret));
  return { issuedAt, family, former };
}

function decodeSecret(encoded: EncodedSecret): FormerSecret {
  const hash = encoded[0];
  const by = encoded[1];
  const at = encoded[2];
  const successorSeenAt = encoded[3];
  check(isHash(hash) && isReplacement(by) && Number.isFinite(at) && isNumberOrNull(successorSeenAt));
  return { hash, by, at, successorSeenAt, rights: encoded.length > 4 ? decodeRights(encoded[4]!) : null };
}

function isHash(part: unknown): boolean {
  return typeof part === 'string' && HASH_FORM.test(part);
}

/** Checks the parts of a content that has more than data. */
function isSound(constants: Record<string, unknown>, messages: FlashEntry[], merged: unknown): boolean {
  if (!Array.isArray(messages) || ![constants, merged, ...messages].every(isDictionary)) return false;
  return [...Object.values(constants), ...messages.map(({ kind }) => kind)].every(isText);
}
