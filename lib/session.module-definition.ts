import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleAsyncOptions,
  type ConfigurableModuleCls,
} from '@nestjs/common';
import { DEFAULT_SESSION } from './requests/session.tokens';
import type { SessionModuleOptions } from './session.options';

/** A class that creates the options, for `forRootAsync({ useClass })`. */
export interface SessionOptionsFactory {
  /** Returns the options of the instance. Called once, before the application starts. */
  createSessionOptions(): SessionModuleOptions | Promise<SessionModuleOptions>;
}

/** Options of the module itself, which must be known before injection. */
export interface SessionModuleExtras {
  /** Name of the instance, unique in the application. @default 'default' */
  readonly name?: string;
}

const definition = new ConfigurableModuleBuilder<SessionModuleOptions>()
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createSessionOptions')
  .setExtras<SessionModuleExtras>({ name: DEFAULT_SESSION })
  .build();

export const { MODULE_OPTIONS_TOKEN } = definition;

// Typed by name: tsc writes an inferred type as an import with attributes, which TypeScript before 5.3 cannot read.
export const ConfigurableModuleClass: ConfigurableModuleCls<
  SessionModuleOptions,
  'forRoot',
  'createSessionOptions',
  SessionModuleExtras
> = definition.ConfigurableModuleClass;

/** The parameter of `forRoot`. */
export type SessionModuleSyncOptions = SessionModuleOptions & Partial<SessionModuleExtras>;

/** The parameter of `forRootAsync`. */
export type SessionModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  SessionModuleOptions,
  'createSessionOptions'
> &
  Partial<SessionModuleExtras>;
