import { Logger } from '@nestjs/common';
import type { Clock } from '../core/clock';
import type { EmitSessionEvent } from '../core/session-event';
import type { SessionManager } from '../core/session-manager';
import { SessionError } from '../core/session.errors';
import type { SessionTransport } from '../transports/session-transport';

/** What one `SessionModule.forRoot` amounts to while requests are handled. */
export interface SessionInstance {
  readonly name: string;
  readonly manager: SessionManager;
  readonly transport: SessionTransport;
  readonly clock: Clock;
  readonly asyncContext: boolean;
  readonly emit: EmitSessionEvent;
  /** Logs, once, why a session could not begin. */
  warnObstacle(obstacle: string): void;
}

const logger = new Logger('SessionModule');
const applications = new WeakMap<object, SessionInstances>();

/** The session instances of one application, and the writes that its shutdown waits for. */
export class SessionInstances {
  readonly #instances = new Map<string, SessionInstance>();
  readonly #pending = new Set<Promise<void>>();
  /** The clock of the first of them, by which requests arrive. */
  clock: Clock | undefined;
  /** Whether one of them needs the async context. */
  usesContext = false;

  /** @param application what Nest makes once for each application: its `HttpAdapterHost` */
  static of(application: object): SessionInstances {
    const instances = applications.get(application) ?? new SessionInstances();
    applications.set(application, instances);
    return instances;
  }

  /** @throws SessionError `SESSION_NAME_TAKEN` */
  add(instance: SessionInstance): void {
    for (const other of this.#instances.values()) assertDistinct(instance, other);
    this.#instances.set(instance.name, instance);
    this.clock ??= instance.clock;
    this.usesContext ||= instance.asyncContext;
  }

  /** @throws SessionError `SESSION_MODULE_MISSING` */
  get(name: string): SessionInstance {
    const instance = this.#instances.get(name);
    if (instance !== undefined) return instance;
    const options = name === 'default' ? '' : `{ name: '${name}', … }`;
    throw new SessionError(
      'SESSION_MODULE_MISSING',
      `There is no session instance '${name}'. Import SessionModule.forRoot(${options}).`,
    );
  }

  /** Makes the shutdown wait for a write that no response waits for, and logs its failure. */
  track(work: Promise<void>): void {
    const tracked = work.catch(reportFailure).finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }

  /** Resolves when every tracked write has ended. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }
}

/** Logs an error that no handler sees. A store's failure is logged when it happens, and not again when its translation comes by. */
export function reportFailure(error: unknown, undone: 'opened' | 'saved' = 'saved'): void {
  const isTranslation = !isStoreFailure(error) && error instanceof Error && isStoreFailure(error.cause);
  if (!isTranslation) logger.error(`A session could not be ${undone}`, error);
}

const STORE_FAILURES: readonly string[] = [
  'SESSION_STORE_UNAVAILABLE',
  'SESSION_CONFLICT',
  'SESSION_EXPIRED',
];

/** Whether the store failed, other requests wrote first too often, or the session expired meanwhile: nothing that the application did wrong. */
export function isStoreFailure(error: unknown): error is SessionError {
  return error instanceof SessionError && STORE_FAILURES.includes(error.code);
}

function assertDistinct({ name, transport }: SessionInstance, other: SessionInstance): void {
  if (name !== other.name && transport.channel !== other.transport.channel) return;
  throw new SessionError(
    'SESSION_NAME_TAKEN',
    name === other.name
      ? `SessionModule.forRoot() was called twice for the instance '${name}'. Call it once, in the root module, or give the second a name.`
      : `The session instances '${name}' and '${other.name}' both use the ${transport.channel}. Give one of them another.`,
  );
}
