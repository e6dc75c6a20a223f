import { randomBytes } from 'node:crypto';
import { Body, Controller, Get, Module, Post, UseGuards, type DynamicModule } from '@nestjs/common';
import {
  AuthGuard,
  MemorySessionStore,
  OnSession,
  Principal,
  Session,
  SessionEvents,
  SessionModule,
  SessionService,
  type SessionEventOf,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { fromKeyv } from 'nestjs-tessera/bridges';
import { FileSessionStore } from 'nestjs-tessera/file';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { fromBetterSqlite3, sessionTableSql, SqlSessionStore } from 'nestjs-tessera/sql';
import { SessionHealthIndicator } from 'nestjs-tessera/terminus';
import { TieredSessionStore } from 'nestjs-tessera/tiered';
import { CreateSessionTable, SessionSchema, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';

declare module 'nestjs-tessera' {
  interface SessionData {
    visits: number;
  }
}

@Controller()
class VisitsController {
  constructor(private readonly sessions: SessionService) {}

  @Get('visits')
  visits(@Session() session: Session): string {
    return String(session.update('visits', (visits = 0) => visits + 1));
  }

  /** A body to read, and the current session after that: reading a body may lose an async context. */
  @Post('login')
  async login(@Body() { id }: { id: string }): Promise<void> {
    await this.sessions.login({ id });
  }

  @UseGuards(AuthGuard)
  @Get('me')
  me(@Principal() { id }: Principal, @Session('visits') visits?: number): string {
    return `${id} ${visits}`;
  }

  @Post('logout')
  logout(@Session() session: Session): void {
    session.logout();
  }
}

/** Options for each of the stores that need no server. */
export const stores: Record<string, () => Promise<SessionModuleOptions>> = {
  memory: async () => ({}),
  typeorm: async () => {
    const database = new DataSource({
      type: 'better-sqlite3',
      database: 'sessions.sqlite',
      entities: [SessionSchema],
      migrations: [CreateSessionTable],
      migrationsRun: true,
    });
    return { store: new TypeOrmSessionStore(await database.initialize()) };
  },
  sql: async () => {
    // It comes without types.
    const driver: string = 'better-sqlite3';
    const { default: Database } = (await import(driver)) as {
      default: new (path: string) => Parameters<typeof fromBetterSqlite3>[0] & { exec(sql: string): void };
    };
    const database = new Database(':memory:');
    for (const statement of sessionTableSql({ dialect: 'sqlite' })) database.exec(statement);
    return { store: new SqlSessionStore(fromBetterSqlite3(database)) };
  },
  file: async () => ({ store: new FileSessionStore('sessions') }),
  tiered: async () => {
    const [fast, durable] = [new MemorySessionStore(), new FileSessionStore('more-sessions')];
    return { store: new TieredSessionStore({ fast, durable }) };
  },
  sealed: async () => {
    const revocations = new MemorySessionStore();
    return { store: new SealedSessions({ keys: [randomBytes(32)], revocations }) };
  },
};

/** Those that need a client, which is not installed here: loading them does not ask for one. */
export const needy = { fromKeyv, RedisSessionStore };

@Module({ controllers: [VisitsController] })
export class AppModule {
  static with(useFactory: () => Promise<SessionModuleOptions>): DynamicModule {
    return { module: AppModule, imports: [SessionModule.forRootAsync({ useFactory })] };
  }
}

/** Never called, all of them: they are here for the compiler. Their results are left to it, declarations included. */
export class Inferred {
  constructor(private readonly sessions: SessionService) {}

  current() {
    return this.sessions.current();
  }

  async principal() {
    return (await this.sessions.current()).principal;
  }

  events(events: SessionEvents) {
    return events;
  }

  @OnSession('loggedIn', { name: 'default' })
  login({ type }: SessionEventOf<'loggedIn'>) {
    return type;
  }

  health(indicator: SessionHealthIndicator) {
    return indicator.pingCheck('sessions');
  }
}

export function misspell(session: Session): void {
  // @ts-expect-error -- not a key that the application has declared
  session.get('visitz');
  // @ts-expect-error -- not the type it has declared
  session.set('visits', 'many');
}
