import { hash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSessionId, type SessionId } from '../../core/session-token';

const SHARD = /^[0-9a-f]{2}$/;
const NONCE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a name in a shard says: a session's own file, or something beside it that an attempt to change it has left. */
export interface ParsedName {
  readonly id: SessionId;
  /** What follows the session's name: nothing, `lock`, or the nonce of an attempt. */
  readonly suffix: string;
}

/**
 * Where everything lies:
 *
 *     format                                     what wrote this directory
 *     sessions/<shard>/<name>                    a session
 *     sessions/<shard>/<name>.<nonce>/<nonce>    a change to it in preparation
 *     sessions/<shard>/<name>.lock/<nonce>      the one that may be made now
 *     sessions/<shard>/<name>.lock/<nonce>.bin  where the one that may be removed now goes
 *     principals/<shard>/<hash>/<name>.<nonce>   "this session is of that principal since that change"
 *
 * A name is the id's characters in hexadecimal, since file systems may not tell `a` from `A`. Paths are made of validated ids, hashes
 * and random nonces, and of nothing else.
 */
export class StoreLayout {
  /** There from the beginning to the end. */
  readonly format: string;
  readonly sessions: string;
  readonly principals: string;

  /** @param root absolute */
  constructor(readonly root: string) {
    this.format = join(root, 'format');
    this.sessions = join(root, 'sessions');
    this.principals = join(root, 'principals');
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

/** The folders below `sessions` or `principals` that there are by now, in order. */
export async function shardsOf(parent: string): Promise<string[]> {
  const names = await readdir(parent);
  return names.filter((name) => SHARD.test(name)).sort();
}

/** What is not ours gives `null`, and is left alone. */
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
