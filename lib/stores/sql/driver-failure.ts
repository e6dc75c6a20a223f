import { SessionError, SessionStoreError } from '../../core/session.errors';
import type { DriverError, FailureKind, SqlDialect } from './sql-dialect';

export interface DriverFailure {
  readonly kind: FailureKind;
  /** What is safe to log: the code, and the message unless that may quote a value. */
  readonly reason: string;
  /** The code alone. */
  readonly code: string | undefined;
}

/** Where Prisma, Sequelize, Drizzle and others keep the error of the driver. */
const WRAPPED = ['cause', 'original', 'meta', 'driverAdapterError'] as const;
const DEEPEST = 5;

/** Reasons that say nothing of the dialect: codes of Node, which are words, and a user or a database that the server refuses. */
const UNREACHED = /^(?:(?:E[A-Z]+|an error|(?:08|28|3D|53|57)[0-9A-Z]{3})\b|ER_(?:DB)?ACCESS_|ER_BAD_DB_)/;

/** The characters by which a value is recognized in a message: those at its beginning that no client escapes. */
const RECOGNIZED_BY = /^[\w:-]{1,8}/;

/**
 * Classifies what a client has thrown. The error itself is never passed on: its other properties hold the statement's parameters, which
 * include the secret's hash and the body, and which loggers print.
 */
export function failureOf(
  error: unknown,
  dialect: SqlDialect,
  parameters: readonly unknown[],
): DriverFailure {
  const errors = innermostFirst(error);
  const answer = errors.find((each) => dialect.codeOf(each) !== null);
  if (answer === undefined) {
    const code = codeIn(errors[0]);
    return { kind: 'lost', reason: reasonOf(errors[0], code ?? 'an error', parameters), code };
  }
  const code = dialect.codeOf(answer)!;
  const name = codeIn(answer) ?? code;
  const reason = dialect.quotesValues(code) ? name : reasonOf(answer, name, parameters);
  return { kind: dialect.kindOf(code), reason, code: name };
}

/** Converts the failure into the error that the store throws. */
export function toStoreError(
  operation: string,
  { kind, reason, code }: DriverFailure,
  dialect: SqlDialect,
): SessionError {
  if (operation === 'insert' && kind === 'duplicate')
    return new SessionError('SESSION_DUPLICATE_ID', 'A session with this id exists already.');
  const answered = kind === 'lost' ? 'the connection to the database failed:' : 'the database answered';
  const isDoubtful = operation === 'prepare' && !UNREACHED.test(reason);
  const doubt = isDoubtful ? ` (is '${dialect.name}' the right dialect?)` : '';
  const cause = Object.assign(new Error(reason), code !== undefined && { code });
  return new SessionStoreError(operation, `${answered} ${reason}${doubt}`, { cause });
}

function codeIn({ code }: DriverError = {}): string | undefined {
  return typeof code === 'string' && code !== '' ? code : undefined;
}

/** The name and the message. Some clients put the statement's values into the message, which is left out then. */
function reasonOf(error: DriverError | undefined, name: string, parameters: readonly unknown[]): string {
  const given = (error ?? {}) as Partial<Record<'message' | 'originalMessage' | 'kind', unknown>>;
  // What Prisma passes on is no Error.
  const message = given.message ?? given.originalMessage ?? given.kind;
  if (typeof message !== 'string') return name;
  const isQuoted = parameters.some((value) => {
    const [begin] = (typeof value === 'string' && RECOGNIZED_BY.exec(value)) || [];
    return begin !== undefined && message.includes(begin);
  });
  return isQuoted ? name : `${name} (${message})`;
}

function innermostFirst(error: unknown, depth = 0): DriverError[] {
  if (typeof error !== 'object' || error === null || depth > DEEPEST) return [];
  const inner = WRAPPED.flatMap((name) =>
    innermostFirst((error as Record<string, unknown>)[name], depth + 1),
  );
  return [...inner, error];
}
