import { parseArgs, type ParseArgsConfig } from 'node:util';
import { SessionStoreError } from '../core/session.errors';

/** The command line is wrong. The program prints the message and where it is told how it is used, and exits with 2. */
export class UsageError extends Error {}

export const USAGE = `Usage: nestjs-tessera <command>

  keys                        print a fresh key ring for sealed sessions
  keys --add <ring>           print the ring with a fresh key at its end
  keys --promote <ring>       print the ring with its last key in front
      <ring> is env:NAME, or - for the standard input: keys must not be visible in the list of processes

  migration --dialect <dialect> [--table <name>] [--schema <name>] [--drizzle]
                              print the SQL that creates the session table: postgres, mysql (MariaDB, too), sqlite,
                              cockroachdb or sqlserver; with --drizzle as a migration of Drizzle

  policy <file> [--name <instance>] [--json]
                              print the session policy of the options that a file exports, as default or as options

  sessions list --store <url> [--principal [<realm>:]<id>] [--json]
  sessions end  --store <url> [--principal [<realm>:]<id>] [--id <id>] [--reason <text>]
      <url> is redis:, rediss:, postgres:, mysql:, mariadb:, cockroachdb:, sqlite:<file> or file:<directory>,
      or env:NAME for a URL with a password
      --prefix <prefix>       of the keys in Redis
      --table <name>          of the table in a database
      --schema <name>         of that table

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

/** Where a command prints. */
export interface Output {
  /** Prints a line of the result to the standard output, and waits until it can take more. */
  write(line: string): Promise<void>;
  /** Prints a line about the result to the standard error. */
  readonly note: (line: string) => void;
}

/** @param args what follows the name of the command */
export type Command = (args: string[], output: Output) => Promise<void>;

type Options = NonNullable<ParseArgsConfig['options']>;

type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true }>
>;

/**
 * Parses the arguments of a command.
 * @param expected the number of arguments that are no options
 * @throws UsageError, whose message repeats no argument but names of options: a value may be secret
 */
export function parse<O extends Options>(args: string[], options: O, expected = 0): Parsed<O> {
  const parsed = parsedOf(args, options);
  if (parsed.positionals.length <= expected) return parsed;
  throw new UsageError(
    `Besides its options the command takes ${expected} arguments, not ${parsed.positionals.length}.`,
  );
}

function parsedOf<O extends Options>(args: string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageError(message);
    // A key may begin with dashes, too.
    throw new UsageError(/^Unknown option '--?[a-z-]{1,16}'/.exec(message)?.[0] ?? 'Unknown option');
  }
}

/** Repeats a word of the command line if it can be no secret, such as the URL of a store. */
export function quoted(word: string): string {
  return /^[a-z]{1,16}$/i.test(word) ? ` '${word}'` : ' of this name';
}

/**
 * Returns the value of an environment variable for `env:NAME`, and any other text unchanged.
 * @throws UsageError when the variable is not set
 */
export function fromEnvironment(text: string): string {
  if (!text.startsWith('env:')) return text;
  const name = text.slice('env:'.length);
  const value = process.env[name];
  if (value) return value;
  throw new UsageError(`The environment variable ${name} is not set.`);
}

/** Says what was thrown. That of a host with several addresses has no message of its own. */
export function messageOf(thrown: unknown): string {
  const { message, errors, name, cause } = (thrown ?? {}) as Partial<AggregateError>;
  // That of a failed call of a store says only that there was an error.
  if (thrown instanceof SessionStoreError && cause !== undefined) return `${message} ${messageOf(cause)}`;
  if (message) return message;
  if (Array.isArray(errors) && errors.length > 0) return errors.map(messageOf).join('; ');
  return name ?? `a value that is no Error was thrown: ${String(thrown)}`;
}
