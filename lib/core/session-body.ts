import type { Principal } from './principal';
import { UnsupportedValue, type SessionCodec } from './session-codec';
import type { FlashEntry, SessionState } from './session-state';
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

type Facts = [
  createdAt: number,
  lastSeenAt: number,
  deadline: number,
  idleTimeout: number | null,
  remembered: 0 | 1,
  authenticatedAt?: number | null,
  principal?: [id: string, realm: string, roles: readonly string[]],
  startedAt?: number,
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

/**
 * Three lines: the format, the session's own facts as JSON, and what the codec made of the application's data.
 * @param lastSeenAt epoch milliseconds; by default when the state says
 */
export function encodeBody(
  state: SessionState,
  codec: SessionCodec,
  lastSeenAt: number = state.lastSeenAt,
): string {
  const { createdAt, deadline, idleTimeout, remembered } = state;
  // Numbers and null: as JSON they look as they do in any text.
  const facts = `${createdAt},${lastSeenAt},${deadline},${idleTimeout},${remembered ? 1 : 0}${loginOf(state)}`;
  return `${BEGINNING}[${facts}]\n${codec.encode(contentOf(state))}`;
}

function loginOf({ authenticatedAt, principal, startedAt }: SessionState): string {
  if (principal === null) return '';
  const { id, realm, roles } = principal;
  return `,${authenticatedAt},${JSON.stringify([id, realm, roles])},${startedAt}`;
}

/** @throws UnreadableBody */
export function decodeBody(body: string, codec: SessionCodec): SessionState {
  const afterFormat = body.indexOf('\n');
  const afterFacts = body.indexOf('\n', afterFormat + 1);
  if (!body.startsWith(BEGINNING)) throw new UnreadableBody(isNewer(body.slice(0, Math.max(0, afterFormat))));
  if (afterFacts < 0) throw new UnreadableBody(false);
  try {
    return toState(
      JSON.parse(body.slice(afterFormat + 1, afterFacts)),
      codec.decode(body.slice(afterFacts + 1)),
    );
  } catch (cause) {
    // The parser's own message quotes what it could not read.
    throw new UnreadableBody(false, {
      cause: new TypeError(cause instanceof Error ? cause.name : 'unknown'),
    });
  }
}

function isNewer(format: string): boolean {
  return /^\d{1,9}$/.test(format) && Number(format) > FORMAT;
}

/** Sessions that hold data only, which is most of them, do without the wrapping. */
function contentOf({ data, constants, messages, merged }: SessionState): unknown {
  const isPlain = messages.length === 0 && isEmpty(constants) && isEmpty(merged);
  return isPlain ? [data] : [data, constants, messages, merged];
}

function toState(facts: unknown, content: unknown): SessionState {
  const [createdAt, lastSeenAt, deadline, idleTimeout, remembered, ...login] = facts as Facts;
  const [authenticatedAt = null, principal, startedAt = createdAt] = login;
  const [data, constants = {}, messages = [], merged = {}] = content as [
    Record<string, unknown>,
    Record<string, string>?,
    FlashEntry[]?,
    Record<string, number>?,
  ];
  const sound =
    Number.isFinite(createdAt) &&
    Number.isFinite(startedAt) &&
    Number.isFinite(lastSeenAt) &&
    Number.isFinite(deadline) &&
    (idleTimeout === null || Number.isFinite(idleTimeout)) &&
    (authenticatedAt === null || Number.isFinite(authenticatedAt)) &&
    isDictionary(data) &&
    isDictionary(constants) &&
    isDictionary(merged) &&
    Object.values(constants).every((text) => typeof text === 'string') &&
    Array.isArray(messages) &&
    messages.every((entry) => isDictionary(entry) && typeof entry.kind === 'string') &&
    (principal === undefined || isPrincipal(principal));
  if (!sound) throw new TypeError('unexpected shape');
  return {
    data,
    constants,
    messages,
    merged,
    createdAt,
    startedAt,
    lastSeenAt,
    deadline,
    idleTimeout,
    authenticatedAt,
    principal: principal === undefined ? null : principalOf(principal),
    remembered: remembered === 1,
  };
}

function isDictionary(part: unknown): boolean {
  return typeof part === 'object' && part !== null && !Array.isArray(part);
}

function isPrincipal([id, realm, roles]: readonly unknown[]): boolean {
  const texts = [id, realm, ...(roles as unknown[])];
  return Array.isArray(roles) && texts.every((text) => typeof text === 'string');
}

/** Frozen, since it is handed out and written back: privileges change through `login`, `elevate` and `logout` alone. */
function principalOf([id, realm, roles]: NonNullable<Facts[6]>): Principal {
  return Object.freeze({ id, realm, roles: Object.freeze(roles) });
}

function isEmpty(object: object): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return false;
  return true;
}
