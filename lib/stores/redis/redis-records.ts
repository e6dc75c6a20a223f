import type { SessionRecord } from '../../core/session-record';
import type { StoreCall } from '../../core/session-store';
import { isSessionId, type SessionId } from '../../core/session-token';
import { keysBeginningWith } from './key-scan';
import { indexEntryOf, type IndexEntry } from './redis-principal-index';
import { newNonce, type RedisCommands } from './redis-commands';
import { textOf, textsOf } from './redis-reply';
import { DELETE, APPLIED, EXTEND, INSERT, READ, UNCOVERED, UPDATE } from './redis-scripts';
import {
  type Coverage,
  toRedisExpiry,
  decodeRecord,
  decodePrincipal,
  encodePrincipal,
  type IndexedRecord,
  toDigits,
  encodeRecord,
} from './record-format';

/** A session that was removed, and its entry in the index of its principal. */
export interface RemovedSession {
  readonly principal: string | null;
  readonly entry: IndexEntry;
}

/** The session is about to outlive the entry of its principal's index that stands for it. */
export interface Uncovered {
  readonly principal: string;
  readonly stamp: string;
}

/**
 * The sessions themselves, a key each, and every change one command. What has not the form of an id is nobody's, and is not asked
 * for: clients of a Cluster and its servers need not agree on where hostile text belongs.
 */
export class RedisRecords {
  constructor(
    private readonly commands: RedisCommands,
    /** What the keys begin with. */
    private readonly prefix: string,
  ) {}

  /** What this format cannot read is nobody's session: it opens nothing, and stays until it expires. */
  async read(operation: string, id: SessionId, call: StoreCall): Promise<IndexedRecord | null> {
    if (!isSessionId(id)) return null;
    const text = await this.commands.get(operation, this.#key(id), call);
    const stored = text === null ? null : decodeRecord(id, text);
    return stored ?? this.#readWithScript(operation, id, call);
  }

  /** That there is nothing a visitor is told by losing the session: a client that mixes answers up must not bring it about. */
  async #readWithScript(operation: string, id: SessionId, call: StoreCall): Promise<IndexedRecord | null> {
    const text = await this.commands.run(operation, READ, this.#key(id), [], call);
    return text === null ? null : decodeRecord(id, textOf(text));
  }

  /** Whether it did; `false` when the id exists already. */
  async insert(record: SessionRecord, coverage: Coverage, call: StoreCall): Promise<boolean> {
    const nonce = newNonce();
    const parameters = [encodeRecord(record, coverage, nonce), String(toRedisExpiry(record.expiresAt))];
    const answer = await this.commands.run('insert', INSERT, this.#key(record.id), parameters, call, nonce);
    return Number(answer) === APPLIED;
  }

  /** @param coverage `null` when the stored one will do; if it does not, nothing is written */
  async update(
    { id, version, expiresAt, secretHash, principal, body }: SessionRecord,
    expectedVersion: number,
    coverage: Coverage | null,
    call: StoreCall,
  ): Promise<boolean | 'uncovered'> {
    if (!isSessionId(id)) return false;
    const expiry = toRedisExpiry(expiresAt);
    const parameters = [
      ...[expectedVersion, version, expiry].map(toDigits),
      ...[secretHash, encodePrincipal(principal), coverage?.until ?? '', coverage?.stamp ?? '', body],
      String(expiry),
    ];
    const answer = Number(await this.commands.run('update', UPDATE, this.#key(id), parameters, call));
    return answer === UNCOVERED ? 'uncovered' : answer === APPLIED;
  }

  /** @param coverage `null` as above */
  async extend(
    id: SessionId,
    expectedVersion: number,
    expiresAt: number,
    coverage: Coverage | null,
    call: StoreCall,
  ): Promise<boolean | Uncovered> {
    if (!isSessionId(id)) return false;
    const expiry = toRedisExpiry(expiresAt);
    const parameters = [
      ...[expectedVersion, expiry].map(toDigits),
      ...[coverage?.until ?? '', coverage?.stamp ?? '', String(expiry)],
    ];
    const answer = await this.commands.run('extend', EXTEND, this.#key(id), parameters, call);
    if (!Array.isArray(answer)) return Number(answer) === APPLIED;
    const [, principal, stamp] = textsOf(answer) as [string, string, string];
    return { principal: decodePrincipal(principal)!, stamp };
  }

  /** What was removed; `null` when there was no such session, or not of this owner where one is given. */
  async remove(
    operation: string,
    id: SessionId,
    owner: string | null,
    call: StoreCall,
  ): Promise<RemovedSession | null> {
    if (!isSessionId(id)) return null;
    const condition = owner === null ? '' : encodePrincipal(owner);
    const answer = await this.commands.run(operation, DELETE, this.#key(id), [condition], call);
    if (answer === null) return null;
    const [principal, stamp] = textsOf(answer) as [string, string];
    return { principal: decodePrincipal(principal), entry: indexEntryOf(id, stamp) };
  }

  /** Every id that exists throughout, page by page; some perhaps twice. */
  ids(call: StoreCall): AsyncIterable<string[]> {
    return keysBeginningWith(this.prefix, this.commands, call);
  }

  #key(id: SessionId): string {
    return this.prefix + id;
  }
}
