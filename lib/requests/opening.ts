import { KEEP, type CommitOutcome } from '../core/commit-outcome';
import type { Session } from '../core/session';
import type { SessionManager } from '../core/session-manager';
import type { RequestHeaders, SessionTransport } from '../transports/session-transport';
import type { SessionInstance } from './session-instance';

/** The session that the token of a request has opened. */
export interface Opening {
  readonly session: Session;
  /** The one that answers: it read the token, or is that of the instance. */
  readonly transport: SessionTransport;
  /** Whether the request had a token. */
  readonly presented: boolean;
  /** What the client must be told already. */
  readonly decision: CommitOutcome;
}

/**
 * Opens the session of the token in the headers.
 * @param isDoubtful whether the token was sent so long ago that a replaced one does not mean that it was copied
 */
export async function openByToken(
  { manager, transport, emit }: SessionInstance,
  headers: RequestHeaders,
  arrivedAt: number | undefined,
  touches: boolean,
  isDoubtful = false,
): Promise<Opening> {
  const find = (token: string | null, isDoubtful: boolean): Promise<Session> =>
    manager.find(token, arrivedAt, touches, isDoubtful);
  const reading = transport.read(headers);
  if (reading.kind === 'token')
    return {
      session: await find(reading.value, isDoubtful),
      transport: reading.transport,
      presented: true,
      decision: KEEP,
    };
  if ('values' in reading) {
    const session = await onlySession(manager, reading.values, find);
    if (session !== null)
      return { session, transport: reading.transport, presented: true, decision: manager.tell(session) };
  }
  const presented = reading.kind === 'ambiguous';
  if (presented) emit({ type: 'rejected', reason: 'ambiguous' });
  return { session: await find(null, false), transport, presented, decision: KEEP };
}

/** Returns the session that several tokens open, or `null` when they open none or different ones. */
async function onlySession(
  manager: SessionManager,
  tokens: readonly string[],
  find: (token: string, isDoubtful: boolean) => Promise<Session>,
): Promise<Session | null> {
  const found: Session[] = [];
  for (const token of new Set(tokens)) found.push(await find(token, true));
  const open = found.filter(({ isNew }) => !isNew);
  if (new Set(open.map(({ id }) => id)).size !== 1) return null;
  return open.find((each) => manager.isCurrent(each)) ?? open[0]!;
}
