/* eslint-disable @typescript-eslint/no-require-imports -- optional peers, each loaded by the command that needs it */

/** The drivers of databases. */
interface Drivers {
  readonly pg: typeof import('pg');
  readonly mysql2: typeof import('mysql2');
  readonly 'better-sqlite3': typeof import('better-sqlite3');
}

/** Returns the driver of a database. */
export function driver<Name extends keyof Drivers>(name: Name): Drivers[Name] {
  return load([name], () => require(name) as Drivers[Name]);
}

/** Returns `redis`, or else `ioredis`. */
export function redisPackage(): { redis: typeof import('redis') } | { ioredis: typeof import('ioredis') } {
  try {
    return { redis: require('redis') as typeof import('redis') };
  } catch (error) {
    if (!isMissing(error, ['redis'])) throw error;
    return load(['ioredis', 'redis'], () => ({ ioredis: require('ioredis') as typeof import('ioredis') }));
  }
}

/** @throws Error that says what to install when the first of the packages is missing */
function load<M>(packages: readonly string[], require: () => M): M {
  try {
    return require();
  } catch (error) {
    if (!isMissing(error, packages)) throw error;
    throw new Error(`A package is missing: npm install ${packages.toReversed().join(', or ')}`);
  }
}

/** Whether it is this package that is missing, and not one that it needs itself. */
function isMissing(error: unknown, [name]: readonly string[]): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' && message.startsWith(`Cannot find module '${name}'`);
}
