import { ConfigurableModuleBuilder } from '@nestjs/common';
import { DEFAULT_SESSION } from './requests/session.tokens';
import type { SessionModuleOptions } from './session.options';

/** A class that creates the options, for `forRootAsync({ useClass })`. */
export interface SessionOptionsFactory {
  createSessionOptions(): SessionModuleOptions | Promise<SessionModuleOptions>;
}

/** Options of the module itself, which must be known before injection. */
export interface SessionModuleExtras {
  /** Name of the instance, unique in the application. @default 'default' */
  readonly name?: string;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<SessionModuleOptions>()
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createSessionOptions')
    .setExtras<SessionModuleExtras>({ name: DEFAULT_SESSION })
    .build();
