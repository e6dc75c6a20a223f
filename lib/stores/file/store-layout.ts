import { hash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSessionId, type SessionId } from '../../core/session-token';

const SHARD = /^[0-9a-f]{2}$/;
const NONCE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A parsed name in a shard: a session's own file, or the folder of an attempt to change it. */
export interface ParsedName {
  readonly id: SessionId;
  /** What follows the session's name: nothing, `lock`, or the nonce of an attempt. */
  readonly suffix: string;
}

/**
 * The paths of the store:
 *
 *     format                                     the format of this directory
 *     sessions/<shard>/<name>                    a session
 *     sessions/<shard>/<name>.<nonce>/<nonce>    a new file in preparation
 *     sessions/<shard>/<name>.lock/<nonce>       the new file of the attempt that holds the lock
 *     sessions/<shard>/<name>.lock/<nonce>.bin   the folder into which the attempt that holds the lock removes the file
 *     spare/<nonce>/slot/<nonce>                 folders for a removal on a full disk, not in use
 *     spare/<nonce>.taken/slot                   in use: the folder that becomes the lock, or the removed file
 *     principals/<shard>/<hash>/<name>.<nonce>   a marker: since that change the session has that principal
 *
 * A name is the id's characters in hexadecimal, because some file systems ignore case. Paths consist of validated ids, hashes and random
 * nonces only.
 */
export class StoreLayout {
  /** Exists from the first preparation on. */
  readonly format: string;
  readonly sessions: string;
  readonly principals: string;
  readonly spare: string;

  /** @param root absolute */
  constructor(readonly root: string) {
    this.format = join(root, 'format');
    this.sessions = join(root, 'sessions');
    this.principals = join(root, 'principals');
    this.spare = join(root, 'spare');
  }

  session(id: SessionId): string {
    const shard = Buffer.from(id, 'base64url').toString('hex', 0, 1);
    return join(this.sessions, shard, fileNameOf(id));
  }

  principal(principal: string): string {
    const digest = hash('sha256', principal, 'hex');
    return join(this.principals, digest.slice(0, 2), digest.slice(2));
  }
}

export function fileNameOf(id: SessionId): string {
  return Buffer.from(id, 'latin1').toString('hex');
}

/** The shards that exist below `sessions` or `principals`, sorted. */
export async function shardsOf(parent: string): Promise<string[]> {
  const names = await readdir(parent);
  return names.filter((name) => SHARD.test(name)).sort();
}

/** `null` for a name that the store did not make. */
export function parseName(name: string): ParsedName | null {
  const [hex = '', suffix = '', ...rest] = name.split('.');
  const id = Buffer.from(hex, 'hex').toString('latin1');
  if (!isSessionId(id) || fileNameOf(id) !== hex || rest.length > 0) return null;
  if (suffix === '' ? name !== hex : suffix !== 'lock' && !isNonce(suffix)) return null;
  return { id, suffix };
}

export function isNonce(text: string): boolean {
  return NONCE.test(text);
}
