import { promisify } from 'node:util';
import { mysql } from '../dialects/mysql';
import type { SqlClient } from '../sql-client';
import { resultOf, withoutNumbers } from './driver-answer';
import { onConnection, TransactionLeftOpen } from './on-connection';

type Callback<T> = (error: Error | null, value: T) => void;

/** A pool of `mysql2`, or one of `mysql2/promise`, which has the other one inside. */
type Mysql2Pool = { getConnection: unknown } | { pool: { getConnection: unknown } };

interface CallbackPool {
  getConnection(callback: Callback<Mysql2Connection>): void;
}

interface Mysql2Connection {
  execute(options: object, callback: Callback<unknown>): void;
  release(): void;
  destroy(): void;
}

/** A flag of the server's status after a write: it is not committed. */
const IN_TRANSACTION = 1;

/** Whatever the application has set for its pool. */
const PLAIN = { rowsAsArray: false, namedPlaceholders: false, typeCast: true, nestTables: false };

/**
 * A pool of `mysql2` or `mysql2/promise`, on MySQL or MariaDB. A statement that the store no longer waits for is abandoned with its
 * connection.
 */
export function fromMysql2(pool: Mysql2Pool): SqlClient {
  const callbackPool = ('pool' in pool ? pool.pool : pool) as CallbackPool;
  const connections = {
    take: promisify<Mysql2Connection>((callback) => callbackPool.getConnection(callback)),
    release: (connection: Mysql2Connection) => connection.release(),
    destroy: (connection: Mysql2Connection) => connection.destroy(),
  };
  return {
    dialect: 'mysql',
    limits: ['shared-pool'],
    execute: (sql, parameters, { signal }) =>
      onConnection(connections, mysql, signal, async (connection) => {
        // A prepared statement: `query` would escape the values into the SQL text, which some server settings parse differently.
        const options = { sql, values: withoutNumbers(parameters), ...PLAIN };
        const answer = await promisify<unknown>((callback) => connection.execute(options, callback))();
        if ((answer as { serverStatus?: number }).serverStatus! & IN_TRANSACTION)
          throw new TransactionLeftOpen();
        return resultOf(answer);
      }),
  };
}
