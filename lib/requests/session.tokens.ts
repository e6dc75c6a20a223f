import type { InjectionToken } from '@nestjs/common';

/** The name of the instance that `forRoot` makes when it is given none. */
export const DEFAULT_SESSION = 'default';

/** Injects the store of the default instance. */
export const SESSION_STORE = sessionStoreToken(DEFAULT_SESSION);

/** The injection token of an instance's store; `overrideProvider` it in tests. */
export function sessionStoreToken(name: string = DEFAULT_SESSION): InjectionToken {
  return `nestjs-tessera:store:${name}`;
}

/** The injection token of an instance's events. */
export function sessionEventsToken(name: string = DEFAULT_SESSION): InjectionToken {
  return `nestjs-tessera:events:${name}`;
}

/** The injection token of an instance's manager. The default instance's is the class `SessionManager` besides. */
export function sessionManagerToken(name: string = DEFAULT_SESSION): InjectionToken {
  return `nestjs-tessera:manager:${name}`;
}

/** The injection token of an instance's service. The default instance's is the class `SessionService` besides. */
export function sessionServiceToken(name: string = DEFAULT_SESSION): InjectionToken {
  return `nestjs-tessera:service:${name}`;
}
