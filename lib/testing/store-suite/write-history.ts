import { hash } from 'node:crypto';
import type { SessionRecord } from '../../core/session-record';
import type { SecretHash, SessionId } from '../../core/session-token';
import { MINUTE, START } from './records';

let stamps = 0;

/** A record every part of which follows from its version and a stamp of its own, so that a mixture of two gives itself away. */
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

/** Whether all parts of it are of one and the same write. Extensions move its expiry. */
export function isWhole(found: SessionRecord): boolean {
  const { version, stamp } = JSON.parse(found.body) as { version: number; stamp: number };
  const { expiresAt } = found;
  const written = { ...stampedRecord(found.id, version, stamp), expiresAt };
  return (Object.keys(written) as (keyof SessionRecord)[]).every((part) => written[part] === found[part]);
}

interface RecordHistory {
  /** The latest version that somebody tried to write. */
  tried: number;
  /** The latest version whose write was acknowledged. */
  acknowledged: number;
  /** Whether somebody tried to delete it. */
  ending: boolean;
  /** Whether its deletion was acknowledged. */
  ended: boolean;
}

/** What writers tried and were told, and whether what is there agrees with it. */
export class WriteHistory {
  readonly violations: string[] = [];
  /** How many writes were acknowledged. */
  acknowledgements = 0;
  readonly #histories = new Map<SessionId, RecordHistory>();
  /** Whether acknowledged writes may be missing, because the server ended and is not durable. */
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

  /** A read begins: what it finds must not be older than what was acknowledged by now. */
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

  /** Reads everything once more. */
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
  /** Whether a server that lost what it had acknowledged explains it. */
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
  if (version > tried) return { text: `has version ${version}, which nobody wrote`, forgivable: false };
  if (ended) return { text: `is there after its acknowledged end`, forgivable: true };
  if (version < acknowledged)
    return { text: `went back from acknowledged version ${acknowledged} to ${version}`, forgivable: true };
  return null;
}
