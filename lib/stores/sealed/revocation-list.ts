import { hash } from 'node:crypto';
import type { Revocation } from '../../core/principal-revocations';
import type { SessionRecord } from '../../core/session-record';
import type { SessionSettings } from '../../core/session-settings';
import type { SessionStore } from '../../core/session-store';
import { newToken, sameHash, type SecretHash, type SessionId } from '../../core/session-token';
import { SessionError, tooManyConflicts } from '../../core/session.errors';
import { StoreClient } from '../../core/store-client';
import { watchedLoginOf, type LoginFacts } from '../../core/watched-login';
import { fromEntryBody, toEntryBody, type ListEntry } from './list-entry';
import { ENDED, type RevocationStatus, type Revocations } from './revocations';
import { lastExpiryOf } from './value-lifetimes';

/** Maximum difference between the clocks of two processes, in milliseconds. */
const SKEW = 60_000;

/**
 * How much longer an entry lives than the values it is about, in milliseconds: for clocks that differ, and for a request that read the list
 * before the entry was there and makes a value after it. Half of it is enough for both.
 */
const MARGIN = 60 * SKEW;

/** Maximum instant that every store can store, in epoch milliseconds. */
const LAST_INSTANT = 8.64e15;

/** Each conflict means that another call ended or renewed the same session. This many in a row indicate a fault. */
const MAX_ATTEMPTS = 10;

/** What an entry says, and when the last value that it is about expires: epoch milliseconds. */
interface Note {
  readonly noted: ListEntry;
  readonly until: number;
}

/**
 * Keeps revocations in a store: one entry per session that was renewed or ended, under the session's id, and one per principal whose
 * sessions were ended. A session without an entry is valid. The `principal` of an entry is always `null`: `deleteByPrincipal` must
 * not delete entries, or ended sessions would be valid again.
 */
export class RevocationList implements Revocations {
  readonly #client: StoreClient;

  /** @param longest maximum lifetime of a value after it was sealed, in milliseconds */
  constructor(
    store: SessionStore,
    private readonly settings: SessionSettings,
    private readonly longest: number,
  ) {
    this.#client = new StoreClient(store, settings.storeTimeout, settings.emit, settings.meter);
  }

  async statusOf(
    { id, secretHash, principal }: Pick<SessionRecord, 'id' | 'secretHash' | 'principal'>,
    startedAt: number,
  ): Promise<RevocationStatus> {
    const [entry, deadUntil] = await Promise.all([
      this.#client.find(id),
      principal === null ? -Infinity : this.deadUntil(principal),
    ]);
    const noted = entry && fromEntryBody(entry.body);
    // An unreadable entry counts as 'ended': it may say so.
    if (entry !== null && noted?.kind !== 'renewed') return ENDED;
    // Before the principal: the present value may have stayed when all others were ended, and an older one may end it.
    if (noted?.kind === 'renewed' && !sameHash(entry!.secretHash, secretHash)) return noted;
    return startedAt <= deadUntil ? ENDED : { kind: 'good', entry };
  }

  async revocationOf(principal: string): Promise<Revocation | null> {
    const deadUntil = await this.deadUntil(principal);
    // Which process made the entry is not known: its clock may differ.
    return deadUntil === -Infinity ? null : { at: deadUntil - SKEW, by: '' };
  }

  async deadUntil(principal: string): Promise<number> {
    return deadUntilOf(await this.#client.find(this.#idOf(principal)));
  }

  renew(entry: SessionRecord | null, next: SessionRecord, base: SessionRecord): Promise<boolean> {
    const { id, secretHash, principal } = next;
    const noted = {
      kind: 'renewed',
      at: this.settings.clock(),
      principal,
      replaced: base.secretHash,
      login: factsOf(next),
    } as const;
    // That of `next` is for #lastExpiry.
    const until = Math.max(this.#lastExpiryOf(base), this.#lastExpiryOf(next));
    return this.#put(entry, id, { noted, until }, secretHash);
  }

  async keep(
    entry: SessionRecord | null,
    { id, secretHash }: SessionRecord,
    until: number,
  ): Promise<boolean> {
    const isKept = entry !== null && entry.expiresAt >= Math.min(until + MARGIN / 2, LAST_INSTANT);
    if (isKept) return true;
    const former = entry && fromEntryBody(entry.body);
    const at = this.settings.clock();
    const noted = former ?? { kind: 'renewed', at, principal: null, replaced: secretHash };
    return this.#put(entry, id, { noted, until }, secretHash);
  }

  async stay(record: SessionRecord): Promise<void> {
    const { id, secretHash } = record;
    const entry = await this.#client.find(id);
    const noted = entry && fromEntryBody(entry.body);
    if (noted?.kind !== 'renewed' || !sameHash(entry!.secretHash, secretHash)) return;
    const until = entry!.expiresAt - MARGIN;
    await this.#put(entry, id, { noted: { ...noted, login: factsOf(record) }, until }, secretHash);
  }

  end(record: SessionRecord): Promise<void> {
    return this.#end(record.id, (entry, noted) => this.#lastExpiry(record, entry, noted));
  }

  revoke(id: SessionId): Promise<void> {
    return this.#end(id, () => this.#latest());
  }

  /** `deadUntil` is later than every login so far, even by the clock of another process. Later logins record a later instant. */
  async endAll(principal: string): Promise<{ before: number; deadUntil: number }> {
    let before = -Infinity;
    let deadUntil = -Infinity;
    await this.#change(this.#idOf(principal), (entry) => {
      before = deadUntilOf(entry);
      deadUntil = Math.max(Math.ceil(this.settings.clock()) + SKEW, before + 1);
      return { noted: { kind: 'principal', deadUntil }, until: this.#latest() };
    });
    return { before, deadUntil };
  }

  #end(
    id: SessionId,
    lastExpiry: (entry: SessionRecord | null, noted: ListEntry | null) => number,
  ): Promise<void> {
    return this.#change(id, (entry) => {
      const noted = entry && fromEntryBody(entry.body);
      // The id is that of a principal's entry, which must stay.
      if (noted?.kind === 'principal') return null;
      const until = lastExpiry(entry, noted);
      return noted?.kind === 'ended' && entry!.expiresAt >= until
        ? null
        : { noted: { kind: 'ended' }, until };
    });
  }

  /** @param next returns the new entry, or `null` for no change */
  async #change(id: SessionId, next: (entry: SessionRecord | null) => Note | null): Promise<void> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const entry = await this.#client.find(id);
      const note = next(entry);
      if (note === null || (await this.#put(entry, id, note))) return;
    }
    throw tooManyConflicts(MAX_ATTEMPTS);
  }

  /** One conditional write. Returns `false` when the list's record is not `entry` any more. */
  #put(
    entry: SessionRecord | null,
    id: SessionId,
    { noted, until }: Note,
    secretHash: SecretHash = newToken(id, this.settings.name).secretHash,
  ): Promise<boolean> {
    const record: SessionRecord = {
      id,
      version: (entry?.version ?? 0) + 1,
      secretHash,
      principal: null,
      // The entry may be about values that live longer, also of an instance with a longer lifetime.
      expiresAt: Math.max(entry?.expiresAt ?? 0, Math.min(until + MARGIN, LAST_INSTANT)),
      body: toEntryBody(noted),
    };
    return entry === null ? this.#client.insertLasting(record) : this.#client.update(record, entry.version);
  }

  /** When the last value of a session expires that is valid now, in epoch milliseconds. `record` is any of its values. */
  #lastExpiry(record: SessionRecord, entry: SessionRecord | null, noted: ListEntry | null): number {
    if (entry !== null && noted === null) return this.#latest();
    const isReplaced = noted?.kind === 'renewed' && !sameHash(entry!.secretHash, record.secretHash);
    if (!isReplaced) return this.#lastExpiryOf(record);
    // `record` does not have the limits of the present values. From now they live at most as long as the entry outlasts the renewal.
    return Math.min(this.#latest(), this.#now() + entry!.expiresAt - MARGIN - noted.at);
  }

  #lastExpiryOf(record: SessionRecord): number {
    return Math.min(this.#latest(), lastExpiryOf(record, this.settings, this.#now()));
  }

  /** The latest expiry of any value sealed now, in epoch milliseconds. */
  #latest(): number {
    return this.#now() + this.longest;
  }

  #now(): number {
    return Math.ceil(this.settings.clock());
  }

  /** Has the form of a session id, which every store accepts. */
  #idOf(principal: string): SessionId {
    const text = JSON.stringify(['nestjs-tessera/sealed', 'principal', this.settings.name, principal]);
    return hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url') as SessionId;
  }
}

function factsOf(record: SessionRecord): LoginFacts {
  const { actsAs, isPending, startedAt, standsSince, deadline } = watchedLoginOf(record, 0);
  return { actsAs, isPending, startedAt, standsSince, deadline };
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
