import { hash } from 'node:crypto';
import type { SessionRecord } from '../../core/session-record';
import type { SessionSettings } from '../../core/session-settings';
import type { SessionStore, StoreCall } from '../../core/session-store';
import { newToken, sameHash, type SecretHash, type SessionId } from '../../core/session-token';
import { SessionError, tooManyConflicts } from '../../core/session.errors';
import { StoreClient } from '../../core/store-client';
import { fromEntryBody, toEntryBody, type ListEntry } from './list-entry';
import { ENDED, type RevocationStatus, type Revocations } from './revocations';

/** Maximum difference between the clocks of two processes, in milliseconds. */
const SKEW = 60_000;

/** How much longer an entry lives than the values it is about, in milliseconds. */
const MARGIN = 60 * SKEW;

/** Each conflict means that another call ended or renewed the same session. This many in a row indicate a fault. */
const MAX_ATTEMPTS = 10;

/**
 * Keeps revocations in a store: one entry per session that was renewed or ended, under the session's id, and one per principal whose
 * sessions were ended. A session without an entry is valid. The `principal` of an entry is always `null`: `deleteByPrincipal` must
 * not delete entries, or ended sessions would be valid again.
 */
export class RevocationList implements Revocations {
  readonly #client: StoreClient;

  /** @param longest maximum lifetime of a value after it was sealed, in milliseconds */
  constructor(
    private readonly store: SessionStore,
    private readonly settings: SessionSettings,
    private readonly longest: number,
  ) {
    this.#client = new StoreClient(store, settings.storeTimeout, settings.emit);
  }

  async statusOf({ id, secretHash, principal }: SessionRecord, startedAt: number): Promise<RevocationStatus> {
    const [entry, deadUntil] = await Promise.all([
      this.#client.find(id),
      principal === null ? -Infinity : this.deadUntil(principal),
    ]);
    if (startedAt <= deadUntil) return ENDED;
    if (entry === null) return { kind: 'good', entry };
    const noted = fromEntryBody(entry.body);
    // An unreadable entry counts as 'ended': it may say so.
    if (noted?.kind !== 'renewed') return ENDED;
    return sameHash(entry.secretHash, secretHash) ? { kind: 'good', entry } : noted;
  }

  async deadUntil(principal: string): Promise<number> {
    return deadUntilOf(await this.#client.find(this.#idOf(principal)));
  }

  renew(
    entry: SessionRecord | null,
    { id, secretHash, principal }: SessionRecord,
    replaced: SecretHash,
  ): Promise<boolean> {
    const noted: ListEntry = { kind: 'renewed', at: this.settings.clock(), principal, replaced };
    return this.#put(entry, id, noted, secretHash);
  }

  end(id: SessionId): Promise<void> {
    return this.#change(id, (entry) => {
      const noted = entry === null ? null : fromEntryBody(entry.body);
      // The id is that of a principal's entry, which must stay.
      if (noted?.kind === 'principal') return null;
      return noted?.kind === 'ended' && entry!.expiresAt >= this.#goodFor() ? null : { kind: 'ended' };
    });
  }

  /** `deadUntil` is later than every login so far, even by the clock of another process. Later logins record a later instant. */
  endAll(principal: string): Promise<void> {
    return this.#change(this.#idOf(principal), (entry) => ({
      kind: 'principal',
      deadUntil: Math.max(Math.ceil(this.settings.clock()) + SKEW, deadUntilOf(entry) + 1),
    }));
  }

  /** @param next returns the new entry, or `null` for no change */
  async #change(id: SessionId, next: (entry: SessionRecord | null) => ListEntry | null): Promise<void> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const entry = await this.#client.find(id);
      const noted = next(entry);
      if (noted === null || (await this.#put(entry, id, noted))) return;
    }
    throw tooManyConflicts(MAX_ATTEMPTS);
  }

  /** One conditional write. Returns `false` when the list's record is not `entry` any more. */
  #put(
    entry: SessionRecord | null,
    id: SessionId,
    noted: ListEntry,
    secretHash: SecretHash = newToken(id, this.settings.name).secretHash,
  ): Promise<boolean> {
    const record: SessionRecord = {
      id,
      version: (entry?.version ?? 0) + 1,
      secretHash,
      principal: null,
      // Another instance may have a longer lifetime.
      expiresAt: Math.max(entry?.expiresAt ?? 0, this.#goodFor() + MARGIN),
      body: toEntryBody(noted),
    };
    return entry === null ? this.#insert(record) : this.#client.update(record, entry.version);
  }

  /** The latest expiry of a value sealed now, in epoch milliseconds. */
  #goodFor(): number {
    return Math.ceil(this.settings.clock()) + this.longest;
  }

  #insert(record: SessionRecord): Promise<boolean> {
    return this.#client.call('insert', record.id, async (call) => {
      try {
        await this.store.insert(record, lasting(call));
        return true;
      } catch (error) {
        if (error instanceof SessionError && error.code === 'SESSION_DUPLICATE_ID') return false;
        throw error;
      }
    });
  }

  /** Has the form of a session id, which every store accepts. */
  #idOf(principal: string): SessionId {
    const text = JSON.stringify(['nestjs-tessera/sealed', 'principal', this.settings.name, principal]);
    return hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url') as SessionId;
  }
}

/** Demands that the store keeps what is inserted. */
function lasting(call: StoreCall): StoreCall {
  return {
    lasting: true,
    get signal() {
      return call.signal;
    },
    get aborted() {
      return call.aborted ?? call.signal.aborted;
    },
  };
}

/** @throws SessionError `SESSION_RECORD_UNREADABLE`, since an unreadable entry may concern any login */
function deadUntilOf(entry: SessionRecord | null): number {
  if (entry === null) return -Infinity;
  const noted = fromEntryBody(entry.body);
  if (noted !== null) return noted.kind === 'principal' ? noted.deadUntil : -Infinity;
  throw new SessionError(
    'SESSION_RECORD_UNREADABLE',
    'The revocation of a principal cannot be read. Check whether its store is damaged or a newer release wrote to it.',
  );
}
