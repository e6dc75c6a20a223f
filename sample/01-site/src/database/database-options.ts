import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { CreateSessionTable, SessionSchema } from 'nestjs-tessera/typeorm';
import { User } from '../users/user';
import { AddSecondFactor1764300000000 } from './add-second-factor';
import { CreateUsers1763600000000 } from './create-users';

/** One SQLite file for users and sessions. Its tables come from migrations, run at start; `synchronize` stays off. */
export function databaseOptions(database: string): TypeOrmModuleOptions {
  return {
    type: 'better-sqlite3',
    database,
    enableWAL: true,
    entities: [User, SessionSchema],
    migrations: [CreateUsers1763600000000, CreateSessionTable, AddSecondFactor1764300000000],
    migrationsRun: true,
    synchronize: false,
    // A database that cannot be opened now cannot be opened in three seconds either.
    retryAttempts: 0,
  };
}
