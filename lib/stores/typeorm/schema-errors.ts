import type { DataSource } from 'typeorm';
import { SessionError } from '../../core/session.errors';
import { DEFAULT_TABLE, type SessionTable } from './session-table';

/** The errors of the start-up check. Each says what is wrong and what to do. */
export class SchemaErrors {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tableName: string,
    private readonly table: SessionTable,
    private readonly place: string,
  ) {}

  missingTable(): SessionError {
    return this.#needsMigration(
      'does not exist',
      'run it before the application starts, as migrationsRun: true does',
    );
  }

  wrongTable(problems: readonly string[]): SessionError {
    return this.#needsMigration(
      `differs from what sessions need: ${problems.join('; ')}`,
      'let it recreate the table',
    );
  }

  wrongEntity(): SessionError {
    const named = this.tableName === DEFAULT_TABLE ? '' : `, tableName: '${this.tableName}'`;
    const { type } = this.dataSource.options;
    return schemaInvalid(
      `The entity of the table ${this.table.name} is for other databases; a migration generated from it would make the column body ` +
        `too small. In the entities of your DataSource, replace it with sessionSchema({ type: '${type}'${named} }).`,
    );
  }

  #needsMigration(problem: string, instruction: string): SessionError {
    const migration =
      this.tableName === DEFAULT_TABLE ? 'CreateSessionTable' : `createSessionTable('${this.tableName}')`;
    const early = ' The DataSource is not initialized yet, so its migrations may not have run.';
    return schemaInvalid(
      `The table ${this.table.name} in ${this.place} ${problem}. Add ${migration} of nestjs-tessera/typeorm to the ` +
        `migrations of your DataSource, and ${instruction}.${this.dataSource.isInitialized ? '' : early}`,
    );
  }
}

function schemaInvalid(message: string): SessionError {
  return new SessionError('SESSION_SCHEMA_INVALID', message);
}
