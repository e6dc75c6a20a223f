/**
 * What a reader of the guides is expected to have around: Nest's names, and an application of their own. Every snippet is compiled with these
 * as globals, so that it need not repeat them. The library's own names are not among them: a snippet has to import those.
 */
import type { NestExpressApplication as ExpressApplication } from '@nestjs/platform-express';
import type { CanActivate as Guard, ExecutionContext as Context, OnModuleInit as Init } from '@nestjs/common';
import type { MemorySessionStore, Session } from 'nestjs-tessera';

type Common = typeof import('@nestjs/common');
type Config = typeof import('@nestjs/config');
type Core = typeof import('@nestjs/core');

declare global {
  // Nest
  const Body: Common['Body'];
  const Controller: Common['Controller'];
  const Delete: Common['Delete'];
  const ForbiddenException: Common['ForbiddenException'];
  const Get: Common['Get'];
  const Injectable: Common['Injectable'];
  const Logger: Common['Logger'];
  const Module: Common['Module'];
  const NotFoundException: Common['NotFoundException'];
  const Param: Common['Param'];
  const Post: Common['Post'];
  const UnauthorizedException: Common['UnauthorizedException'];
  const UseGuards: Common['UseGuards'];
  const APP_GUARD: Core['APP_GUARD'];
  const NestFactory: Core['NestFactory'];
  const Reflector: Core['Reflector'];
  const ConfigModule: Config['ConfigModule'];
  const ConfigService: Config['ConfigService'];
  const FastifyAdapter: (typeof import('@nestjs/platform-fastify'))['FastifyAdapter'];
  const Test: (typeof import('@nestjs/testing'))['Test'];
  const TypeOrmModule: (typeof import('@nestjs/typeorm'))['TypeOrmModule'];
  const DataSource: (typeof import('typeorm'))['DataSource'];
  const filter: (typeof import('rxjs'))['filter'];
  type CanActivate = Guard;
  type ConfigService = InstanceType<Config['ConfigService']>;
  type DataSource = import('typeorm').DataSource;
  type ExecutionContext = Context;
  type NestExpressApplication = ExpressApplication;
  type OnModuleInit = Init;

  // The application
  class AppModule {}
  class PgSessionStore extends MemorySessionStore {
    constructor(pool: import('pg').Pool);
  }
  class AccountController {}
  class PrismaModule {}
  class PrismaService {
    $queryRawUnsafe(sql: string, ...values: unknown[]): Promise<unknown>;
    $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>;
    $transaction(statements: Promise<unknown>[]): Promise<unknown[]>;
  }
  interface ConnectionPool {
    request(): {
      input(name: string, value: unknown): void;
      query(sql: string): Promise<{ recordset?: unknown[]; rowsAffected: number[] }>;
    };
  }
  class AddItem {
    item: string;
  }
  class LoginForm {
    email: string;
    password: string;
    remember: boolean;
  }
  class PasswordForm {
    password: string;
  }
  class NewPasswordForm extends PasswordForm {
    newPassword: string;
  }
  class CodeForm {
    code: string;
  }
  class Users {
    verify(email: string, password: string): Promise<{ id: number; roles: string[]; hasTotp: boolean }>;
    find(id: string): Promise<{ id: number; roles: string[] }>;
    passwordMatches(id: string, password: string): Promise<boolean>;
    setPassword(id: string, password: string): Promise<void>;
    totpMatches(id: string, code: string): Promise<boolean>;
  }
  const session: Session;
  const app: import('@nestjs/common').INestApplication;
}
