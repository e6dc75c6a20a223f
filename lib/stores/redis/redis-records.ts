import type { Clock } from '../../core/clock';
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
  timeToLive,
  toRedisExpiry,
  decodeRecord,
  fromPrincipalField,
  toPrincipalField,
  toDigits,
  encodeRecord,
} from './record-format';

/** A removed session, and its entry in the index of its principal. */
export interface RemovedSession {
  readonly principal: string | null;
  readonly entry: IndexEntry;
}

/** The answer when a session would outlive its entry in its principal's index. */
export interface Uncovered {
  readonly principal: string;
  readonly stamp: string;
}

/**
 * The records, one key each; every change is one command. A text that is not a valid id is not sent to the server: clients and servers of
 * a Cluster may compute different slots for hostile text.
 */
export class RedisRecords {
  constructor(
    private readonly commands: RedisCommands,
    /** Prefix of the records' keys. */
    private readonly prefix: string,
    private readonly clock: Clock,
  ) {}

  /** The record, or `null` when there is none. A value in another format counts as absent, and stays until it expires. */
  async read(operation: string, id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    if (!isSessionId(id)) return null;
    const text = await this.commands.get(operation, this.#key(id), call);
    const stored = text === null ? null : decodeRecord(id, text);
    return stored ?? this.#readWithScript(operation, id, call);
  }

  /** Reads with a nonce. An absent record logs its user out, so a client that mixes up answers must not cause a false "absent". */
  async #readWithScript(operation: string, id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    const text = await this.commands.run(operation, READ, this.#key(id), [], call);
    return text === null ? null : decodeRecord(id, textOf(text));
  }

  /** `false` when the id exists already. */
  async insert(record: SessionRecord, coverage: Coverage, call: StoreCall): Promise<boolean> {
    const nonce = newNonce();
    const { expiresAt } = record;
    const times = [toRedisExpiry(expiresAt), timeToLive(expiresAt, this.clock())].map(String);
    const parameters = [encodeRecord(record, coverage, nonce), ...times];
    const answer = await this.commands.run('insert', INSERT, this.#key(record.id), parameters, call, nonce);
    return Number(answer) === APPLIED;
  }

  /** @param coverage `null` to keep the stored one. If that does not suffice, nothing is written and the result is `'uncovered'` */
  async update(
    { id, version, expiresAt, secretHash, principal, body }: SessionRecord,
    expectedVersion: number,
    coverage: Coverage | null,
    call: StoreCall,
  ): Promise<boolean | 'uncovered'> {
    if (!isSessionId(id)) return false;
    const parameters = [
      ...[expectedVersion, version, toRedisExpiry(expiresAt)].map(toDigits),
      ...[secretHash, toPrincipalField(principal), coverage?.until ?? '', coverage?.stamp ?? '', body],
      String(timeToLive(expiresAt, this.clock())),
    ];
    const answer = Number(await this.commands.run('update', UPDATE, this.#key(id), parameters, call));
    return answer === UNCOVERED ? 'uncovered' : answer === APPLIED;
  }

  /** @param coverage `null` to keep the stored one. If that does not suffice, nothing is written and the result names the index entry */
  async extend(
    id: SessionId,
    expectedVersion: number,
    expiresAt: number,
    coverage: Coverage | null,
    call: StoreCall,
  ): Promise<boolean | Uncovered> {
    if (!isSessionId(id)) return false;
    const parameters = [
      ...[expectedVersion, toRedisExpiry(expiresAt)].map(toDigits),
      ...[coverage?.until ?? '', coverage?.stamp ?? '', String(timeToLive(expiresAt, this.clock()))],
    ];
    const answer = await this.commands.run('extend', EXTEND, this.#key(id), parameters, call);
    if (!Array.isArray(answer)) return Number(answer) === APPLIED;
    const [, principal, stamp] = textsOf(answer) as [string, string, string];
    return { principal: fromPrincipalField(principal)!, stamp };
  }

  /** The removed session; `null` when there was none, or when it does not have the given owner. */
  async remove(
    operation: string,
    id: SessionId,
    owner: string | null,
    call: StoreCall,
  ): Promise<RemovedSession | null> {
    if (!isSessionId(id)) return null;
    const condition = owner === null ? '' : toPrincipalField(owner);
    const answer = await this.commands.run(operation, DELETE, this.#key(id), [condition], call);
    if (answer === null) return null;
    const [principal, stamp] = textsOf(answer) as [string, string];
    return { principal: fromPrincipalField(principal), entry: indexEntryOf(id, stamp) };
  }

  /** Yields each id that exists during the whole scan at least once, in pages; may yield an id twice. */
  ids(call: StoreCall): AsyncIterable<string[]> {
    return keysBeginningWith(this.prefix, this.commands, call);
  }

  #key(id: SessionId): string {
    return this.prefix + id;
  }
}
