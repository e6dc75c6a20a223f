import { inTime } from '../core/in-time';
import { principalKey, toPrincipal, DEFAULT_REALM } from '../core/principal';
import { SessionManager } from '../core/session-manager';
import { infoOf, liveSession, type SessionInfo } from '../core/session-info';
import type { SessionStore } from '../core/session-store';
import { isSessionId } from '../core/session-token';
import { isClosable, isPrepared } from '../core/store-capabilities';
import { StoreClient } from '../core/store-client';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { resolveOptions } from '../session.options';
import { parse, UsageError, type Command, type Output } from './arguments';
import { storeAt } from './store-url';

const OPTIONS = {
  store: { type: 'string' },
  prefix: { type: 'string' },
  table: { type: 'string' },
  schema: { type: 'string' },
  principal: { type: 'string' },
  id: { type: 'string' },
  reason: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** How long each call of the store may take, in milliseconds. */
const STORE_TIMEOUT = 10_000;
/** How long closing may take, in milliseconds. */
const CLOSING_TIMEOUT = 2000;

/** The options of `sessions`, and the principal as `realm:id`. */
interface Wish {
  readonly principal: string | undefined;
  readonly id: string | undefined;
  readonly reason: string | undefined;
  readonly json: boolean;
}

/** In the wrong place nothing is found either, and a login that was to be ended goes on. */
const NONE_FOUND =
  'No session was found. Is this the store of the application, with its --prefix or --table?';

/** Control and format characters: an id may come from outside, and must not command the terminal. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Lists and ends the sessions in a store, as `SessionRegistry` does. */
export const sessions: Command = async ([action = '', ...args], output) => {
  const { values } = parse(withId(args), OPTIONS);
  const { store: url, prefix, table, schema, id, reason, json = false } = values;
  const work = { list, end }[action];
  if (work === undefined) throw new UsageError('sessions is followed by list or end.');
  const wish: Wish = { principal: keyOf(values.principal), id, reason, json };
  check(action, wish);
  const store = storeAt(url, { prefix, table, schema }, output.note);
  try {
    // A server that is frozen accepts connections, and does not answer.
    if (isPrepared(store)) await inTime('prepare', STORE_TIMEOUT, store.prepare());
    await work(store, wish, output);
  } finally {
    // What is done is done, and what has failed is said.
    if (isClosable(store)) await inTime('close', CLOSING_TIMEOUT, store.close()).catch(() => undefined);
  }
};

/** An id may begin with a dash, as an option does. */
function withId(args: string[]): string[] {
  const at = args.indexOf('--id');
  const id = args[at + 1] ?? '';
  return at < 0 || !isSessionId(id) ? args : args.toSpliced(at, 2, `--id=${id}`);
}

function check(action: string, { id, principal, reason, json }: Wish): void {
  if (action === 'list' && (id ?? reason) !== undefined)
    throw new UsageError('--id and --reason are options of sessions end.');
  if (action === 'end' && json) throw new UsageError('--json is an option of sessions list.');
  if (action === 'end' && (id ?? principal) === undefined)
    throw new UsageError(
      'sessions end needs --principal, for all sessions of a principal, or --id, for one.',
    );
}

async function list(store: SessionStore, { principal, json }: Wish, output: Output): Promise<void> {
  let isEmpty = true;
  for await (const info of found(store, principal)) {
    isEmpty = false;
    await output.write(json ? jsonOf(info) : lineOf(info));
  }
  if (isEmpty) output.note(NONE_FOUND);
}

async function end(store: SessionStore, { principal, id, reason }: Wish, output: Output): Promise<void> {
  const manager = managerOf(store);
  if (id === undefined) {
    const count = await manager.directory.countOf(principal!);
    await manager.endAll(principalOf(principal!), reason === undefined ? {} : { reason });
    if (count === 0) output.note(NONE_FOUND);
    return output.write(`Ended the sessions of ${printable(principal!)}: ${count}.`);
  }
  const isEnded = isSessionId(id) && (await manager.directory.end(id, principal, reason ?? 'revoked'));
  if (!isEnded)
    throw new Error(
      `There is no such session${principal === undefined ? '' : ` of ${printable(principal)}`}.`,
    );
  await output.write(`Ended the session ${id}.`);
}

/** Yields the logins of a principal, or every session. Their content stays encoded: it may need the application's own codec. */
async function* found(store: SessionStore, principal: string | undefined): AsyncGenerator<SessionInfo> {
  const { directory, settings } = managerOf(store);
  if (principal !== undefined) return yield* await directory.list(principal, null);
  for await (const record of new StoreClient(store, settings.storeTimeout, () => {}).records()) {
    const live = liveSession(record, settings.clock());
    if (live !== null) yield infoOf(live, null, settings);
  }
}

function managerOf(store: SessionStore): SessionManager {
  const { transport, ...options } = resolveOptions({ store, storeTimeout: STORE_TIMEOUT }, DEFAULT_SESSION);
  const { sealedFor } = transport;
  return new SessionManager(store, { ...options, name: DEFAULT_SESSION, sealedFor, emit: () => {} });
}

/** What stands before the first colon is the realm. */
function principalOf(text: string): { realm: string; id: string } {
  const colon = text.indexOf(':');
  return colon < 0
    ? { realm: DEFAULT_REALM, id: text }
    : { realm: text.slice(0, colon), id: text.slice(colon + 1) };
}

/** @throws SessionError `PRINCIPAL_INVALID` */
function keyOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : principalKey(toPrincipal(principalOf(text)));
}

function lineOf(info: SessionInfo): string {
  const { id, lastSeenAt, expiresAt, principal, actor, device } = info;
  const who = [principal, actor].flatMap((each) => (each === null ? [] : [printable(principalKey(each))]));
  return [
    ...[id, instant(lastSeenAt), instant(expiresAt), stateOf(info).padEnd(7)],
    ...[
      who.length === 0 ? '-' : who.join(' by '),
      ...(device === null ? [] : [`(${printable(device.label)})`]),
    ],
  ].join('  ');
}

/** Leaves out `data`, as JSON leaves out every function. */
function jsonOf(info: SessionInfo): string {
  return printable(JSON.stringify({ ...info, isCurrent: undefined, state: stateOf(info) }));
}

function stateOf({ principal, isPending, isLocked }: SessionInfo): string {
  if (principal === null) return 'visitor';
  return isPending ? 'pending' : isLocked ? 'locked' : 'login';
}

function instant(at: number): string {
  return new Date(at).toISOString();
}

/** Writes what is invisible as JSON escapes it. */
function printable(text: string): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replace(INVISIBLE, (character) => character.split('').map(escape).join(''));
}
