import { hash } from 'node:crypto';
import type { SessionRecord } from '../../core/session-record';
import type { SecretHash, SessionId } from '../../core/session-token';
import { MINUTE, START } from './records';

let stamps = 0;

/** A record whose fields all derive from its version and a unique stamp, so that a mixture of two writes can be detected. */
export function stampedRecord(id: SessionId, version: number, stamp = ++stamps): SessionRecord {
  return {
    id,
    version,
    secretHash: hash('sha256', `${id}.${version}.${stamp}`, 'base64url') as SecretHash,
    principal: `suite:${version}.${stamp}`,
    expiresAt: START + 60 * MINUTE,
    body: JSON.stringify({ version, stamp, filling: 'x'.repeat(stamp % 2_000) }),
  };
}

/** Whether all fields are of the same write. The expiry is not compared, because extensions change it. */
export function isWhole(found: SessionRecord): boolean {
  const { version, stamp } = JSON.parse(found.body) as { version: number; stamp: number };
  const { expiresAt } = found;
  const written = { ...stampedRecord(found.id, version, stamp), expiresAt };
  return (Object.keys(written) as (keyof SessionRecord)[]).every((part) => written[part] === found[part]);
}

interface RecordHistory {
  /** The latest version that a writer tried to write. */
  tried: number;
  /** The latest version whose write was acknowledged. */
  acknowledged: number;
  /** Whether a writer tried to delete it. */
  ending: boolean;
  /** Whether its deletion was acknowledged. */
  ended: boolean;
}

/** Records what writers tried and what was acknowledged, and checks what is read against it. */
export class WriteHistory {
  readonly violations: string[] = [];
  /** The number of acknowledged writes. */
  acknowledgements = 0;
  readonly #histories = new Map<SessionId, RecordHistory>();
  /** Whether acknowledged writes may be missing, because the server was killed and is not durable. */
  #lossy = false;

  trying({ id, version }: SessionRecord): void {
    const history = this.#of(id);
    history.tried = Math.max(history.tried, version);
  }

  wrote({ id, version }: SessionRecord): void {
    const history = this.#of(id);
    history.acknowledged = Math.max(history.acknowledged, version);
    this.acknowledgements++;
  }

  ending(id: SessionId): void {
    this.#of(id).ending = true;
  }

  ended(id: SessionId): void {
    this.#of(id).ended = true;
    this.acknowledgements++;
  }

  /** From now on acknowledged writes may be missing. */
  lose(): void {
    this.#lossy = true;
  }

  /** Call when a read begins. Its result must not be older than the writes acknowledged by now. */
  reading(id: SessionId): (found: SessionRecord | null) => void {
    const history = this.#of(id);
    const { acknowledged, ended } = history;
    return (found) => {
      const violation =
        found === null ? missing(acknowledged, history) : misfit(found, acknowledged, ended, history);
      if (violation === null || (this.#lossy && violation.forgivable)) return;
      this.violations.push(`${id} ${violation.text}`);
    };
  }

  /** Reads all records and checks them. */
  async compare(find: (id: SessionId) => Promise<SessionRecord | null>): Promise<void> {
    for (const id of this.#histories.keys()) {
      const read = this.reading(id);
      read(await find(id));
    }
  }

  #of(id: SessionId): RecordHistory {
    const known = this.#histories.get(id);
    if (known !== undefined) return known;
    const history = { tried: 0, acknowledged: 0, ending: false, ended: false };
    this.#histories.set(id, history);
    return history;
  }
}

interface Violation {
  readonly text: string;
  /** Whether it may happen after a server lost acknowledged writes. */
  readonly forgivable: boolean;
}

function missing(acknowledged: number, { ending }: RecordHistory): Violation | null {
  return acknowledged === 0 || ending
    ? null
    : { text: `is gone, although version ${acknowledged} was acknowledged`, forgivable: true };
}

function misfit(
  found: SessionRecord,
  acknowledged: number,
  ended: boolean,
  { tried }: RecordHistory,
): Violation | null {
  const { version } = found;
  if (!isWhole(found)) return { text: `is a mixture of several writes`, forgivable: false };
  if (version > tried) return { text: `has version ${version}, which no writer wrote`, forgivable: false };
  if (ended) return { text: `is there after its acknowledged end`, forgivable: true };
  if (version < acknowledged)
    return { text: `went back from acknowledged version ${acknowledged} to ${version}`, forgivable: true };
  return null;
}
