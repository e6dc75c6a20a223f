import type { Type, ModuleMetadata } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { SessionModule, type SessionModuleExtras, type SessionModuleOptions } from 'nestjs-tessera';
import { nestMajor } from './nest';

export const platforms = ['express', 'fastify'] as const;
export type Platform = (typeof platforms)[number];
export type App = NestExpressApplication | NestFastifyApplication;

export interface AppUnderTest {
  readonly platform: Platform;
  /** Options of the default instance; `false` for an application without the module. */
  readonly options?: (SessionModuleOptions & SessionModuleExtras) | false;
  readonly controllers?: Type[];
  readonly providers?: NonNullable<ModuleMetadata['providers']>;
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** What main.ts would do between `create` and `listen`. */
  readonly configure?: (app: App) => void | Promise<void>;
}

const running = new Set<App>();

/** A real application on a free port of the loopback interface; `closeApps` ends it. */
export async function startApp({
  platform,
  options = {},
  imports = [],
  controllers = [],
  providers = [],
  configure,
}: AppUnderTest): Promise<App> {
  const session = options === false ? [] : [SessionModule.forRoot(options)];
  const module = await Test.createTestingModule({
    imports: [...session, ...imports],
    controllers,
    providers,
  }).compile();
  const app = create(platform, module);
  running.add(app);
  // There, `app.use` on Fastify needs this.
  if (platform === 'fastify' && nestMajor === 10) await app.getHttpAdapter().init?.();
  await configure?.(app);
  await app.listen(0, '127.0.0.1');
  return app;
}

/** Ends every application that a test has started. Call it in `afterEach`. */
export async function closeApps(): Promise<void> {
  const apps = [...running];
  running.clear();
  await Promise.all(apps.map((app) => app.close()));
}

function create(
  platform: Platform,
  module: Awaited<ReturnType<ReturnType<typeof Test.createTestingModule>['compile']>>,
): App {
  const settings = { logger: false, forceCloseConnections: true } as const;
  return platform === 'express'
    ? module.createNestApplication<NestExpressApplication>(settings)
    : module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), settings);
}
