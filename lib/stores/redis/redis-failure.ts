/** Why a command failed. */
export interface RedisFailure {
  /** The first word of the server's answer, such as `OOM`; `null` when it did not come from the server. */
  readonly code: string | null;
  /** Safe to log: contains no key and no argument. */
  readonly reason: string;
  /** Whether a retry may succeed. All commands of the store are safe to repeat, whether or not they were executed. */
  readonly isTransient: boolean;
}

interface ClientError {
  readonly message?: string;
  readonly code?: unknown;
  readonly errors?: readonly Error[];
}

/** A failure that a retry may resolve. */
export class TransientError extends Error {}

/** Error codes of a server that will recover, or that another server replaces. */
const TRANSIENT = new Set(['LOADING', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN', 'READONLY', 'BUSY']);

/** Messages with which the clients report a lost connection, one that is not there yet, or an inconsistent Cluster. */
const CONNECTION_LOST =
  /^(?:Stream isn't writeable|Socket closed|Disconnects client|Connection is closed|Too many Cluster redirections|Failed to refresh slots)/;
const CONNECTION_CODES = new Set(['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT']);

/** Redis 6 wraps the error of a command in a script: `ERR Error running script (…): @user_script:1: -OOM …`. */
const ANSWER = /^(?:ERR Error running script.*? -)?([A-Z]+) /s;

/** Some errors repeat the command's arguments, which may include the hash of a secret. */
const REPEATED_ARGUMENTS = /,? with args beginning with.*$/s;

/** Classifies an error of a client. The error itself must not leave the store: `ioredis` attaches the command with all its arguments. */
export function redisFailureOf(error: unknown): RedisFailure {
  const { message = '', code, errors } = (error ?? {}) as ClientError;
  const answered = ANSWER.exec(message)?.[1] ?? null;
  if (answered !== null) {
    const reason = `Redis answered "${message.replace(REPEATED_ARGUMENTS, '')}"${adviceOn(answered)}`;
    return { code: answered, reason, isTransient: TRANSIENT.has(answered) };
  }
  const lost = CONNECTION_LOST.test(message) || (typeof code === 'string' && CONNECTION_CODES.has(code));
  return {
    code: null,
    // Node reports all addresses of a host that refuse in one error without a message.
    reason: `the Redis client reported "${message || (errors?.map((each) => each.message).join('; ') ?? String(code))}"`,
    isTransient: lost || error instanceof TransientError,
  };
}

/** Whether the client gave a command up that the server has not answered: the option `commandTimeout` of `ioredis`. */
export function isCommandTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
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
