import { Injectable } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { TIMER_LIMIT } from '../core/clock';
import { errorType } from '../core/error-type';
import { isRepositoryProvider, type SessionRepositoryProvider } from '../core/session-repository';
import type { SessionStore } from '../core/session-store';
import { newSessionId } from '../core/session-token';
import { SessionError } from '../core/session.errors';
import { StoreClient } from '../core/store-client';
import { SessionInstances } from '../requests/session-instance';
import { sessionStoreToken } from '../requests/session.tokens';

/** Options of `SessionHealthIndicator.pingCheck`. */
export interface SessionPingOptions {
  /** Maximum duration of the check, in milliseconds; independent of `storeTimeout`. @default 1000 */
  readonly timeout?: number;
  /** The instance whose store is checked. @default the stores of all instances */
  readonly name?: string;
}

/** How a check of one instance ended: `up`, or the kind of its error. */
type Verdict = readonly [name: string, verdict: string];

/**
 * Tells `@nestjs/terminus` whether the stores of sessions answer. Provide it in the module of the health controller:
 *
 * ```ts
 * this.health.check([() => this.sessions.pingCheck('sessions')]);
 * ```
 */
@Injectable()
export class SessionHealthIndicator {
  /** @internal Nest calls it. */
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly host: HttpAdapterHost,
    private readonly modules: ModuleRef,
  ) {}

  /**
   * Asks each store for a session that does not exist, all at the same time, and each once. Emits no event: requests that need the store do.
   * @returns `up`; or `down` with `code` `SESSION_STORE_UNAVAILABLE` and, as `instances`, `up`, `timeout` or the code of the driver's error for
   * each instance
   * @throws SessionError `SESSION_OPTIONS_INVALID` for a timeout that is no duration, `SESSION_MODULE_MISSING` for a name without an instance
   */
  async pingCheck<Key extends string>(
    key: Key,
    { timeout = 1000, name }: SessionPingOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    if (!(timeout >= 1 && timeout <= TIMER_LIMIT)) throw invalidTimeout(timeout);
    const instances = SessionInstances.of(this.host);
    const names = name === undefined ? instances.names : [instances.get(name).name];
    const pings = new Map<SessionStore, Promise<string>>();
    const verdicts = names.map(async (each): Promise<Verdict> => {
      const store = this.#storeOf(each);
      if (store === null) return [each, 'up'];
      const ping = pings.get(store) ?? verdictOf(store, timeout);
      pings.set(store, ping);
      return [each, await ping];
    });
    return this.#result(key, await Promise.all(verdicts));
  }

  #result<Key extends string>(key: Key, verdicts: readonly Verdict[]): HealthIndicatorResult<Key> {
    const indicator = this.indicators.check(key);
    if (verdicts.every(([, verdict]) => verdict === 'up')) return indicator.up();
    return indicator.down({ code: 'SESSION_STORE_UNAVAILABLE', instances: Object.fromEntries(verdicts) });
  }

  /** The store below an instance; `null` when its sessions are sealed and nothing is stored. */
  #storeOf(name: string): SessionStore | null {
    const store = this.modules.get<SessionStore | SessionRepositoryProvider>(sessionStoreToken(name), {
      strict: false,
    });
    return isRepositoryProvider(store) ? store.restsOn : store;
  }
}

async function verdictOf(store: SessionStore, timeout: number): Promise<string> {
  try {
    await new StoreClient(store, timeout, () => {}).find(newSessionId());
    return 'up';
  } catch (error) {
    return errorType(error);
  }
}

function invalidTimeout(timeout: unknown): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `timeout of pingCheck() must be a number of milliseconds from 1 to ${TIMER_LIMIT}, got ${String(timeout)}`,
  );
}
