import { hash } from 'node:crypto';
import { randomText } from './random-text';
import type { SessionRecord } from './session-record';
import type { SessionSettings } from './session-settings';
import { newToken, type SessionId } from './session-token';
import { SessionError, tooManyConflicts } from './session.errors';
import type { StoreClient } from './store-client';

/** A login that must be newer than the last revocation of its principal. */
export interface CheckedLogin {
  /** `realm:id`. */
  readonly principal: string;
  /** When the credentials were checked, in epoch milliseconds. */
  readonly checkedAt: number;
}

/** When all sessions of a principal were last ended. */
export interface Revocation {
  /** Epoch milliseconds. */
  readonly at: number;
  /** The process that ended them. */
  readonly by: string;
}

/**
 * Maximum age of a check of credentials at the login, in milliseconds: time for a second factor, and for a provider's page. A revocation is
 * remembered for longer.
 */
export const LONGEST_LOGIN = 60 * 60_000;

/** Difference allowed between the clocks of two processes, in milliseconds. */
const SKEW = 1000;

/** Each conflict means that another call revoked the same principal. This many in a row indicate a fault. */
const MAX_ATTEMPTS = 10;

/**
 * Takes the place of the format number of a session body. Readers of bodies take it for the format of a later release and leave the
 * record alone, so that it can be stored among sessions.
 */
const FORMAT = '999999999\nrevocation\n';

const PROCESS = randomText(9);

/**
 * Records when all sessions of a principal were last ended: one record for each such principal, in the store of the sessions, for all
 * instances that use that store. Its own `principal` is `null`, since `deleteByPrincipal` must not delete it.
 */
export class PrincipalRevocations {
  /** @param keepFor how long a revocation is remembered, in milliseconds */
  constructor(
    private readonly store: StoreClient,
    private readonly settings: SessionSettings,
    private readonly keepFor = 2 * LONGEST_LOGIN,
  ) {}

  /**
   * Returns the last revocation of a principal, or `null`.
   * @throws SessionError `SESSION_RECORD_UNREADABLE`, since an unreadable record may concern any login
   */
  async of(principal: string): Promise<Revocation | null> {
    return revocationIn(await this.store.find(this.#idOf(principal)));
  }

  /** Records a revocation now. Its instant is later than that of any other so far. */
  async record(principal: string): Promise<void> {
    const id = this.#idOf(principal);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const base = await this.store.find(id);
      const now = Math.ceil(this.settings.clock());
      const revocation = { at: Math.max(now, (revocationIn(base)?.at ?? -Infinity) + 1), by: PROCESS };
      const record: SessionRecord = {
        id,
        version: (base?.version ?? 0) + 1,
        secretHash: newToken(id, this.settings.name).secretHash,
        principal: null,
        expiresAt: Math.max(base?.expiresAt ?? 0, now + this.keepFor),
        body: `${FORMAT}${JSON.stringify(revocation)}`,
      };
      const isDone =
        base === null ? this.store.insertLasting(record) : this.store.update(record, record.version - 1);
      if (await isDone) return;
    }
    throw tooManyConflicts(MAX_ATTEMPTS);
  }

  /** Has the form of a session id, which every store accepts. */
  #idOf(principal: string): SessionId {
    const text = JSON.stringify(['nestjs-tessera', 'revocation', principal]);
    return hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url') as SessionId;
  }
}

/** Whether credentials were checked before a revocation, or perhaps before it, by the clock of another process. */
export function precedes({ checkedAt }: CheckedLogin, { at, by }: Revocation): boolean {
  return checkedAt <= (by === PROCESS ? at : at + SKEW);
}

/** The error of a login whose credentials must be checked again. */
export function loginOutdated(): SessionError {
  return new SessionError(
    'SESSION_LOGIN_OUTDATED',
    'The login was refused: by the clock of the sessions, its credentials were checked more than an hour ago, or before all sessions of the principal were ended. Check them again.',
  );
}

function revocationIn(record: SessionRecord | null): Revocation | null {
  if (record === null) return null;
  try {
    if (!record.body.startsWith(FORMAT)) throw new Error('It is no revocation.');
    const { at, by } = JSON.parse(record.body.slice(FORMAT.length)) as Revocation;
    if (Number.isFinite(at) && typeof by === 'string') return { at, by };
    throw new Error('It has no instant.');
  } catch (cause) {
    throw new SessionError(
      'SESSION_RECORD_UNREADABLE',
      'The revocation of a principal cannot be read. Check whether its store is damaged or a newer release wrote to it.',
      { cause },
    );
  }
}
