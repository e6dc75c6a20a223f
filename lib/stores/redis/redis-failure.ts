/** What became of a command that failed. */
export interface RedisFailure {
  /** The first word of the server's answer, such as `OOM`; `null` when it did not come from the server. */
  readonly code: string | null;
  /** For a log: no key, no argument. */
  readonly reason: string;
  /** Whether trying again soon may help. Every command of the store may be repeated, so nothing depends on whether it was executed. */
  readonly isTransient: boolean;
}

/** What may be gone at the next attempt. */
export class TransientError extends Error {}

/** Answers of a server that will serve again, or of one that knows who does. */
const TRANSIENT = new Set(['LOADING', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN', 'READONLY', 'BUSY']);

/** How each client says that a connection has ended, or that a Cluster was found in disorder. */
const CONNECTION_LOST =
  /^(?:Socket closed|Disconnects client|Connection is closed|Too many Cluster redirections|Failed to refresh slots)/;
const CONNECTION_CODES = new Set(['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT']);

/** Redis 6 hides the answer of a command in a script behind `ERR Error running script (…): @user_script:1: -OOM …`. */
const ANSWER = /^(?:ERR Error running script.*? -)?([A-Z]+) /s;

/** Some answers repeat what was sent, and that may be a secret's hash. */
const REPEATED_ARGUMENTS = /,? with args beginning with.*$/s;

/** Reads the error of a client. Nothing of it may go further: `ioredis` hangs the command with all its arguments on it. */
export function redisFailureOf(error: unknown): RedisFailure {
  const { message = '', code } = (error ?? {}) as { message?: string; code?: unknown };
  const answered = ANSWER.exec(message)?.[1] ?? null;
  if (answered !== null) {
    const reason = `Redis answered "${message.replace(REPEATED_ARGUMENTS, '')}"${adviceOn(answered)}`;
    return { code: answered, reason, isTransient: TRANSIENT.has(answered) };
  }
  const lost = CONNECTION_LOST.test(message) || (typeof code === 'string' && CONNECTION_CODES.has(code));
  return {
    code: null,
    reason: `the Redis client reported "${message}"`,
    isTransient: lost || error instanceof TransientError,
  };
}

function adviceOn(code: string): string {
  switch (code) {
    case 'MOVED':
    case 'ASK':
      return ', so it belongs to a Cluster: give RedisSessionStore a cluster client';
    case 'READONLY':
      return ', so it is a replica: connect to the master, or through Sentinel';
    case 'OOM':
      return ', so its memory is full: raise maxmemory';
    default:
      return '';
  }
}
