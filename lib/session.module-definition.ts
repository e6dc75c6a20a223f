import { ConfigurableModuleBuilder } from '@nestjs/common';
import { DEFAULT_SESSION } from './requests/session.tokens';
import type { SessionModuleOptions } from './session.options';

/** A class that makes the options, for `forRootAsync({ useClass })`. */
export interface SessionOptionsFactory {
  createSessionOptions(): SessionModuleOptions | Promise<SessionModuleOptions>;
}

/** What belongs to the module rather than to its sessions, and is known before anything is injected. */
export interface SessionModuleExtras {
  /** Tells several instances in one application apart. @default 'default' */
  readonly name?: string;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<SessionModuleOptions>()
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createSessionOptions')
    .setExtras<SessionModuleExtras>({ name: DEFAULT_SESSION })
    .build();
