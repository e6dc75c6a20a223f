import type { SqlClient } from '../sql-client';
import type { SqlDialectName } from '../sql-dialect';

/** How long a write may wait for the only connection, in milliseconds: longer than any `storeTimeout`. Prisma's default is 2 seconds. */
const MAX_WAIT = 600_000;

interface Writer {
  $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>;
}

interface PrismaClient extends Writer {
  $queryRawUnsafe(sql: string, ...values: unknown[]): Promise<unknown>;
  $transaction(write: never, options?: { maxWait?: number }): Promise<unknown>;
}

/** A `PrismaClient`, 7 or newer, with a driver adapter. With `log: ['query']` Prisma itself logs values. */
export function fromPrisma(prisma: PrismaClient, dialect: SqlDialectName): SqlClient {
  return {
    dialect,
    limits: [dialect === 'sqlite' ? 'one-connection' : 'shared-pool', 'calls-go-on'],
    async execute(sql, parameters, { returnsRows, signal }) {
      if (returnsRows)
        return { rows: (await prisma.$queryRawUnsafe(sql, ...parameters)) as unknown[], affected: 0 };
      const write = (own: Writer) => (signal.throwIfAborted(), own.$executeRawUnsafe(sql, ...parameters));
      if (dialect !== 'sqlite') return { rows: [], affected: await write(prisma) };
      // By itself a statement joins a transaction that is open on the only connection. So does a batch of one.
      const affected = await prisma.$transaction(write as never, { maxWait: MAX_WAIT });
      return { rows: [], affected: affected as number };
    },
  };
}
