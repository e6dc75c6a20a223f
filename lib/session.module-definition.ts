import { ConfigurableModuleBuilder } from '@nestjs/common';
import { DEFAULT_SESSION } from './http/session-context';
import type { SessionModuleOptions } from './session.options';

/** A class that makes the options, for `forRootAsync({ useClass })`. */
export interface SessionOptionsFactory {
  createSessionOptions(): SessionModuleOptions | Promise<SessionModuleOptions>;
}

/** What belongs to the module rather than to its sessions, and is known before anything is injected. */
export interface SessionModuleExtras {
  /** Tells several instances in one application apart. @default 'default' */
  readonly name?: string;
  /**
   * Whether the session is committed as soon as the handler is done, by a global interceptor: then a store that fails is an exception
   * for your filters. Without it the commit waits for the first byte, and one that fails is answered with a fixed 503; an
   * application that has no other global interceptor saves what Nest asks of every request for the first one.
   * @default true
   */
  readonly interceptor?: boolean;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<SessionModuleOptions>()
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createSessionOptions')
    .setExtras<SessionModuleExtras>({ name: DEFAULT_SESSION, interceptor: true })
    .build();
