import { hash } from 'node:crypto';
import type { SessionRecord } from '../../core/session-record';
import { tooManyConflicts } from '../../core/session-repository';
import type { SessionSettings } from '../../core/session-settings';
import type { SessionStore } from '../../core/session-store';
import { newToken, sameHash, type SecretHash, type SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { StoreClient } from '../../core/store-client';
import { fromEntryBody, toEntryBody, type ListEntry } from './list-entry';
import type { Revocations, Standing } from './revocations';

/** How far the clocks of several processes may differ, in milliseconds. */
const SKEW = 60_000;

/** Entries outlive every value they speak of by this much, in milliseconds. */
const MARGIN = 60 * SKEW;

/** Each conflict means that somebody else ended or renewed the same session; so many in a row mean that something is wrong. */
const MAX_ATTEMPTS = 10;

const ENDED: Standing = { kind: 'ended' };

/**
 * Keeps in a store what must not be believed any more: an entry under a session's id once its token was renewed or it has ended, and
 * one for each principal whose sessions were ended. A session without entry is good. Entries name no principal to the store's
 * index: removing the sessions of one must not bring these back.
 */
export class RevocationList implements Revocations {
  readonly #client: StoreClient;

  /** @param longest how long a value can be good for after it was sealed, in milliseconds */
  constructor(
    private readonly store: SessionStore,
    private readonly settings: SessionSettings,
    private readonly longest: number,
  ) {
    this.#client = new StoreClient(store, settings.storeTimeout, settings.emit);
  }

  async standing({ id, secretHash, principal }: SessionRecord, startedAt: number): Promise<Standing> {
    const [entry, deadUntil] = await Promise.all([
      this.#client.find(id),
      principal === null ? -Infinity : this.deadUntil(principal),
    ]);
    if (startedAt <= deadUntil) return ENDED;
    if (entry === null) return { kind: 'good', entry };
    const noted = fromEntryBody(entry.body);
    // What cannot be read may say that it has ended.
    if (noted?.kind !== 'renewed') return ENDED;
    return sameHash(entry.secretHash, secretHash) ? { kind: 'good', entry } : noted;
  }

  async deadUntil(principal: string): Promise<number> {
    return deadUntilOf(await this.#client.find(this.#idOf(principal)));
  }

  renew(entry: SessionRecord | null, { id, secretHash, principal }: SessionRecord): Promise<boolean> {
    return this.#put(entry, id, { kind: 'renewed', at: this.settings.clock(), principal }, secretHash);
  }

  end(id: SessionId): Promise<void> {
    return this.#change(id, (entry) => {
      const noted = entry === null ? null : fromEntryBody(entry.body);
      // What a principal is noted under looks like any id, and is no session's.
      if (noted?.kind === 'principal') return null;
      return noted?.kind === 'ended' && entry!.expiresAt >= this.#goodFor() ? null : { kind: 'ended' };
    });
  }

  /** Later than every login so far, whichever process's clock it was told by: a login from now on notes an instant after this one. */
  endAll(principal: string): Promise<void> {
    return this.#change(this.#idOf(principal), (entry) => ({
      kind: 'principal',
      deadUntil: Math.max(Math.ceil(this.settings.clock()) + SKEW, deadUntilOf(entry) + 1),
    }));
  }

  /** @param next what is to be noted, or `null` when there is nothing to change */
  async #change(id: SessionId, next: (entry: SessionRecord | null) => ListEntry | null): Promise<void> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const entry = await this.#client.find(id);
      const noted = next(entry);
      if (noted === null || (await this.#put(entry, id, noted))) return;
    }
    throw tooManyConflicts(MAX_ATTEMPTS);
  }

  /** One conditional write, `false` when `entry` is not what the list holds any more. */
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
      // Another instance may seal for longer than this one.
      expiresAt: Math.max(entry?.expiresAt ?? 0, this.#goodFor() + MARGIN),
      body: toEntryBody(noted),
    };
    return entry === null ? this.#insert(record) : this.#client.update(record, entry.version);
  }

  /** Until when a value that is sealed now can be good. */
  #goodFor(): number {
    return Math.ceil(this.settings.clock()) + this.longest;
  }

  #insert(record: SessionRecord): Promise<boolean> {
    return this.#client.call('insert', record.id, async (call) => {
      try {
        await this.store.insert(record, call);
        return true;
      } catch (error) {
        if (error instanceof SessionError && error.code === 'SESSION_DUPLICATE_ID') return false;
        throw error;
      }
    });
  }

  /** Looks like any id, so that every store takes it. */
  #idOf(principal: string): SessionId {
    const text = JSON.stringify(['nestjs-tessera/sealed', 'principal', this.settings.name, principal]);
    return hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url') as SessionId;
  }
}

/** @throws SessionError `SESSION_RECORD_UNREADABLE`, since it may be about any login */
function deadUntilOf(entry: SessionRecord | null): number {
  if (entry === null) return -Infinity;
  const noted = fromEntryBody(entry.body);
  if (noted !== null) return noted.kind === 'principal' ? noted.deadUntil : -Infinity;
  throw new SessionError('SESSION_RECORD_UNREADABLE', 'The revocation of a principal cannot be read.');
}
