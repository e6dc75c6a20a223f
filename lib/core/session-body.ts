import type { Principal } from './principal';
import { isReplacement, type FormerRights, type FormerSecret, type SecretHistory } from './secret-history';
import { UnsupportedValue, type SessionCodec } from './session-codec';
import { emptyContent, type FlashEntry, type SessionContent, type SessionState } from './session-state';
import { SessionError } from './session.errors';

/** The format this release writes. A record of a later one is left alone. */
const FORMAT = 1;
const BEGINNING = `${FORMAT}\n`;

/** A body that this release cannot read. */
export class UnreadableBody extends SessionError {
  constructor(
    readonly newer: boolean,
    options?: ErrorOptions,
  ) {
    const why = newer ? 'was written by a newer release' : 'is corrupt';
    super('SESSION_RECORD_UNREADABLE', `The record of a session ${why}.`, options);
  }
}

type EncodedPrincipal = readonly [id: string, realm: string, roles: readonly string[]];

type EncodedSecret = readonly [
  hash: string,
  by: FormerSecret['by'],
  at: number,
  successorSeenAt: number | null,
  rights?: readonly [principal: EncodedPrincipal | null, authenticatedAt: number | null],
];

/** What stands on the second line. Visitors have no more than the first five, until their secret is replaced. */
type EncodedFacts = [
  createdAt: number,
  lastSeenAt: number,
  deadline: number,
  idleTimeout: number | null,
  remembered: 0 | 1,
  authenticatedAt?: number | null,
  principal?: EncodedPrincipal | null,
  startedAt?: number,
  secrets?: readonly [issuedAt: number, family: string | null, ...former: readonly EncodedSecret[]],
];

/** How deep a body holds a value at most. What is accepted by itself must not be refused later for being nested too deep. */
const NESTING = 4;

/**
 * One value as text.
 * @throws UnsupportedValue
 */
export function encodeValue(value: unknown, codec: SessionCodec): string {
  try {
    return codec.encode([[[[value]]]]);
  } catch (error) {
    if (error instanceof UnsupportedValue) error.path = error.path.slice('[0]'.length * NESTING);
    throw error;
  }
}

/** A copy of the value that became this text. */
export function decodeValue(text: string, codec: SessionCodec): unknown {
  return (codec.decode(text) as [[[[unknown]]]])[0][0][0][0];
}

/** Three lines: the format, what the session knows of itself as JSON, and what the codec makes of its content. */
export function encodeBody(state: SessionState, codec: SessionCodec): string {
  const { createdAt, lastSeenAt, deadline, idleTimeout, remembered } = state;
  // Numbers and null: as JSON they look as they do in any text.
  const facts = `${createdAt},${lastSeenAt},${deadline},${idleTimeout},${remembered ? 1 : 0}${encodeLogin(state)}`;
  return `${BEGINNING}[${facts}]\n${state.encodedContent ?? codec.encode(contentOf(state))}`;
}

function encodeLogin({ authenticatedAt, principal, startedAt, createdAt, secrets }: SessionState): string {
  const isPlain = secrets.former.length === 0 && secrets.family === null && secrets.issuedAt === createdAt;
  if (principal === null && isPlain) return '';
  const login = `,${authenticatedAt},${JSON.stringify(encodePrincipal(principal))},${startedAt}`;
  return isPlain ? login : `${login},${JSON.stringify(encodeSecrets(secrets))}`;
}

function encodePrincipal(principal: Principal | null): EncodedPrincipal | null {
  return principal && [principal.id, principal.realm, principal.roles];
}

function encodeSecrets({ issuedAt, family, former }: SecretHistory): EncodedFacts[8] {
  const encoded = former.map(({ hash, by, at, successorSeenAt, rights }): EncodedSecret => {
    if (rights === null) return [hash, by, at, successorSeenAt];
    return [hash, by, at, successorSeenAt, [encodePrincipal(rights.principal), rights.authenticatedAt]];
  });
  return [issuedAt, family, ...encoded];
}

/** Most sessions hold data only, and do without the wrapping. */
function contentOf({ data, constants, messages, merged, receipt }: SessionContent): unknown {
  if (receipt !== null) return [data, constants, messages, merged, receipt];
  const isPlain = messages.length === 0 && isEmpty(constants) && isEmpty(merged);
  return isPlain ? [data] : [data, constants, messages, merged];
}

/**
 * What a session knows of itself. Its content stays encoded: {@link decodeContent}.
 * @throws UnreadableBody
 */
export function decodeFacts(body: string): SessionState {
  const afterFormat = body.indexOf('\n');
  const afterFacts = body.indexOf('\n', afterFormat + 1);
  if (!body.startsWith(BEGINNING)) throw new UnreadableBody(isNewer(body.slice(0, Math.max(0, afterFormat))));
  if (afterFacts < 0) throw new UnreadableBody(false);
  try {
    const facts = JSON.parse(body.slice(afterFormat + 1, afterFacts)) as EncodedFacts;
    return stateOf(facts, body.slice(afterFacts + 1));
  } catch (cause) {
    throw corrupt(cause);
  }
}

/**
 * Decodes the content of a state that {@link decodeFacts} has made, unless that is done.
 * @throws UnreadableBody
 */
export function decodeContent(state: SessionState, codec: SessionCodec): void {
  if (state.encodedContent === null) return;
  try {
    Object.assign(state, checkedContent(codec.decode(state.encodedContent)));
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

/** The parser's own message quotes what it could not read, so only its name is kept. */
function corrupt(cause: unknown): UnreadableBody {
  return new UnreadableBody(false, { cause: new TypeError(cause instanceof Error ? cause.name : 'unknown') });
}

function isNewer(format: string): boolean {
  return /^\d{1,9}$/.test(format) && Number(format) > FORMAT;
}

function stateOf(facts: EncodedFacts, encodedContent: string): SessionState {
  const [createdAt, lastSeenAt, deadline, idleTimeout, remembered] = facts;
  const [, , , , , authenticatedAt = null, principal = null, startedAt = createdAt, secrets] = facts;
  const sound =
    Number.isFinite(createdAt) &&
    Number.isFinite(startedAt) &&
    Number.isFinite(lastSeenAt) &&
    Number.isFinite(deadline) &&
    (idleTimeout === null || Number.isFinite(idleTimeout)) &&
    (authenticatedAt === null || Number.isFinite(authenticatedAt));
  if (!sound) throw new TypeError('unexpected shape');
  return {
    ...emptyContent(encodedContent),
    createdAt,
    startedAt,
    lastSeenAt,
    deadline,
    idleTimeout,
    authenticatedAt,
    principal: decodePrincipal(principal),
    remembered: remembered === 1,
    secrets:
      secrets === undefined ? { issuedAt: createdAt, family: null, former: [] } : decodeSecrets(secrets),
  };
}

function decodeSecrets([issuedAt, family, ...former]: NonNullable<EncodedFacts[8]>): SecretHistory {
  if (!Number.isFinite(issuedAt) || !(family === null || typeof family === 'string'))
    throw new TypeError('unexpected shape');
  return { issuedAt, family, former: former.map(decodeSecret) };
}

function decodeSecret([hash, by, at, successorSeenAt, rights]: EncodedSecret): FormerSecret {
  const isSound =
    typeof hash === 'string' &&
    isReplacement(by) &&
    Number.isFinite(at) &&
    (successorSeenAt === null || Number.isFinite(successorSeenAt));
  if (!isSound) throw new TypeError('unexpected shape');
  return { hash, by, at, successorSeenAt, rights: rights === undefined ? null : decodeRights(rights) };
}

function decodeRights([principal, authenticatedAt]: NonNullable<EncodedSecret[4]>): FormerRights {
  if (!(authenticatedAt === null || Number.isFinite(authenticatedAt)))
    throw new TypeError('unexpected shape');
  return { principal: decodePrincipal(principal), authenticatedAt };
}

/** Frozen, since it is handed out and written back: privileges change through `login`, `elevate` and `logout` alone. */
function decodePrincipal(encoded: EncodedPrincipal | null): Principal | null {
  if (encoded === null) return null;
  const [id, realm, roles] = encoded;
  const texts: readonly unknown[] = Array.isArray(roles) ? [id, realm, ...(roles as unknown[])] : [null];
  const isSound = texts.every((text) => typeof text === 'string');
  if (!isSound) throw new TypeError('unexpected shape');
  return Object.freeze({ id, realm, roles: Object.freeze(roles) });
}

function checkedContent(content: unknown): SessionContent {
  const [data, constants = {}, messages = [], merged = {}, receipt = null] = content as [
    Record<string, unknown>,
    Record<string, string>?,
    FlashEntry[]?,
    Record<string, number>?,
    string?,
  ];
  const sound =
    isDictionary(data) &&
    isDictionary(constants) &&
    isDictionary(merged) &&
    Object.values(constants).every((text) => typeof text === 'string') &&
    Array.isArray(messages) &&
    messages.every((entry) => isDictionary(entry) && typeof entry.kind === 'string');
  if (!sound) throw new TypeError('unexpected shape');
  return { data, constants, messages, merged, receipt };
}

function isDictionary(part: unknown): boolean {
  return typeof part === 'object' && part !== null && !Array.isArray(part);
}

function isEmpty(object: object): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return false;
  return true;
}
