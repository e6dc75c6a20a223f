import type { InjectionToken } from '@nestjs/common';

/** The name of an instance for which `forRoot` got no name. */
export const DEFAULT_SESSION = 'default';

/** Returns the injection token of an instance's store. Use it with `overrideProvider` in tests. */
export const sessionStoreToken = tokensOf('store');

/**
 * Returns the injection token of an instance's options, as they were given to `forRoot` or made by `forRootAsync`. With
 * `overrideProvider(sessionOptionsToken()).useValue({})` a test runs no factory of `forRootAsync`, and so connects to no store.
 */
export const sessionOptionsToken = tokensOf('options');

/** Returns the injection token of an instance's events. The class `SessionEvents` is the token of the events of all instances. */
export const sessionEventsToken = tokensOf('events');

/** Returns the injection token of an instance's manager. That of the default instance is also the class `SessionManager`. */
export const sessionManagerToken = tokensOf('manager');

/** Returns the injection token of an instance's service. That of the default instance is also the class `SessionService`. */
export const sessionServiceToken = tokensOf('service');

/** Returns the injection token of an instance's registry. That of the default instance is also the class `SessionRegistry`. */
export const sessionRegistryToken = tokensOf('registry');

/** Injects the store of the default instance. */
export const SESSION_STORE = sessionStoreToken();

function tokensOf(provided: string): (name?: string) => InjectionToken {
  return (name = DEFAULT_SESSION) => `nestjs-tessera:${provided}:${name}`;
}
