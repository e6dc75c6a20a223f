import type { Clock } from '../../core/clock';
import { SessionError, SessionStoreError } from '../../core/session.errors';
import type { RedisCommands } from './redis-commands';
import type { RedisNode } from './redis-connection';
import { redisFailureOf } from './redis-failure';
import { textOf, textsOf } from './redis-reply';

/** How long the check of the servers may take at start, in milliseconds. */
const CHECK_TIMEOUT = 10_000;

/** How far the clocks may be apart without a warning, in milliseconds. */
const TOLERATED_SKEW = 60_000;

const MINIMUM_VERSION = [6, 2] as const;

/**
 * Checks version and eviction policy of all servers, and compares their clocks with the application's.
 * @param key any key that the store may read
 * @returns warnings
 * @throws SessionError `SESSION_SCHEMA_INVALID`, SessionStoreError
 */
export async function checkServers(
  commands: RedisCommands,
  key: string,
  allowEviction: boolean,
  clock: Clock,
): Promise<string[]> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT);
  let largest = 0;
  const check = async (): Promise<void> => {
    for (const node of await commands.nodes('prepare', key, { signal })) {
      const info = await commands.sendTo('prepare', ignoringDenial(node), ['info'], { signal });
      checkInfo(textOf(info), allowEviction);
      const time = await commands.sendTo('prepare', ignoringDenial(node), ['time'], { signal });
      const skew = skewOf(time, clock());
      if (Math.abs(skew) > Math.abs(largest)) largest = skew;
    }
  };
  await Promise.race([check(), aborted(signal)]);
  return Math.abs(largest) > TOLERATED_SKEW ? [adviceOnSkew(largest)] : [];
}

/** By how much the server's clock is ahead, in milliseconds. @param time the reply of TIME: seconds and microseconds */
function skewOf(time: unknown, now: number): number {
  const [seconds, microseconds] = textsOf(time).map(Number);
  return seconds === undefined || microseconds === undefined ? 0 : seconds * 1000 + microseconds / 1000 - now;
}

function adviceOnSkew(skew: number): string {
  const minutes = Math.round(Math.abs(skew) / 60_000);
  return (
    `The clock of Redis is ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} ${skew > 0 ? 'ahead of' : 'behind'} the application's. ` +
    'Sessions are kept until they have expired by both, but processes whose clocks differ disagree on which are expired. ' +
    'Synchronize the clocks.'
  );
}

/** A server that denies a command passes the check: the node answers with an empty text. */
function ignoringDenial(node: RedisNode): RedisNode {
  return {
    send: (command, call) =>
      node.send(command, call).catch((error: unknown) => {
        if (['NOPERM', 'ERR'].includes(redisFailureOf(error).code ?? '')) return '';
        throw error;
      }),
  };
}

/** Rejects when the signal aborts. Clients wait for a server without a limit, and some cannot withdraw a command. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () =>
      reject(
        new SessionStoreError(
          'prepare',
          `Redis did not answer within ${CHECK_TIMEOUT / 1000} seconds; check that it is running and that the client has the right address`,
        ),
      ),
    );
  });
}

/** @param info the reply of INFO, lines of `name:value` */
function checkInfo(info: string, allowEviction: boolean): void {
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const version = fact('redis_version');
  if (version !== undefined && isTooOld(version)) {
    throw new SessionError(
      'SESSION_SCHEMA_INVALID',
      `The server is Redis ${version}; RedisSessionStore needs ${MINIMUM_VERSION.join('.')} or newer, or Valkey.`,
    );
  }
  const policy = fact('maxmemory_policy') ?? 'noeviction';
  if (policy === 'noeviction' || (fact('maxmemory') ?? '0') === '0' || allowEviction) return;
  throw new SessionError(
    'SESSION_SCHEMA_INVALID',
    `The server evicts keys when its memory is full (maxmemory-policy ${policy}), which ends sessions early and lets revoking ` +
      'all sessions of a user miss some. Set maxmemory-policy noeviction, on a separate server if other data needs eviction, ' +
      'or accept it with allowEviction: true.',
  );
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < MINIMUM_VERSION[0] || (major === MINIMUM_VERSION[0] && minor < MINIMUM_VERSION[1]);
}
