import { Logger, type ExecutionContext } from '@nestjs/common';
import type { Clock } from '../core/clock';
import type { Device } from '../core/device';
import type { Principal } from '../core/principal';
import type { EmitSessionEvent } from '../core/session-event';
import type { SessionPolicy } from '../core/session-policy';
import type { SessionManager } from '../core/session-manager';
import { SessionError } from '../core/session.errors';
import type { SessionTransport } from '../transports/session-transport';
import type { DeviceRequest } from './client-device';
import { aboutCopies } from './copies';
import type { ResolvedCsrf } from './csrf-options';

/** Returns whether a principal may call a handler. What it throws becomes the answer, as with a guard. */
export type Authorize = (principal: Principal, context: ExecutionContext) => boolean | Promise<boolean>;

/** One `SessionModule.forRoot`, as requests use it. */
export interface SessionInstance {
  readonly name: string;
  readonly manager: SessionManager;
  readonly transport: SessionTransport;
  readonly csrf: ResolvedCsrf;
  readonly clock: Clock;
  readonly asyncContext: boolean;
  /** Whether a response that is still open is closed when its session ends. */
  readonly closesStreams: boolean;
  readonly emit: EmitSessionEvent;
  /** Describes the client at a login; `null` when it is not noted. */
  readonly describe: ((request: DeviceRequest) => Device) | null;
  /** `null` when every principal with the required role is allowed. */
  readonly authorize: Authorize | null;
  readonly policy: SessionPolicy;
  /** Logs a message, once. Clients may cause as many different ones as they like: of those only the first are logged. */
  warnOnce(message: string): void;
}

const logger = new Logger('SessionModule');
const applications = new WeakMap<object, SessionInstances>();

/** The session instances of one application, and the writes for which its shutdown waits. */
export class SessionInstances {
  readonly #instances = new Map<string, SessionInstance>();
  readonly #pending = new Set<Promise<void>>();
  /** The clock of the first instance. Gives the time at which a request arrives. */
  clock: Clock | undefined;
  /** Whether an instance needs the async context. */
  usesContext = false;
  /** Whether an instance closes streams. */
  closesStreams = false;

  /** @param application the `HttpAdapterHost`, of which Nest creates one for each application */
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
    this.closesStreams ||= instance.closesStreams;
  }

  /** @throws SessionError `SESSION_MODULE_MISSING` */
  get(name: string): SessionInstance {
    const instance = this.#instances.get(name);
    if (instance !== undefined) return instance;
    const options = name === 'default' ? '' : `{ name: '${name}', … }`;
    throw new SessionError(
      'SESSION_MODULE_MISSING',
      `There is no session instance '${name}'. Import SessionModule.forRoot(${options}).${aboutCopies()}`,
    );
  }

  /** The names of all instances. */
  get names(): string[] {
    return [...this.#instances.keys()];
  }

  /** Makes the shutdown wait for a write for which no response waits, and logs its failure. */
  track(work: Promise<void>): void {
    const tracked = work.catch(reportFailure).finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }

  /** Resolves when every tracked write has ended. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }
}

/** What did not happen to a session. */
export type Undone = 'opened' | 'saved' | 'ended' | 'found';

/** Logs an error that no handler sees. A store's failure is logged when it happens, so its translation is not logged again. */
export function reportFailure(error: unknown, undone: Undone = 'saved'): void {
  const isTranslation = !isExpected(error) && error instanceof Error && isExpected(error.cause);
  if (!isTranslation) logger.error(`A session could not be ${undone}`, error);
}

const REFUSED_LOGINS = ['SESSION_LOGIN_OUTDATED', 'SESSION_LIMIT_REACHED'];

const STORE_FAILURES = ['SESSION_STORE_UNAVAILABLE', 'SESSION_CONFLICT', 'SESSION_EXPIRED'];

/** Whether a login was refused at the commit: outdated, or beyond the limit of sessions. */
export function isRefusedLogin(error: unknown): error is SessionError {
  return error instanceof SessionError && REFUSED_LOGINS.includes(error.code);
}

/** Whether an error is no mistake of the application: a failing store, too many concurrent writes, an expired session, a refused login. */
export function isExpected(error: unknown): error is SessionError {
  return (error instanceof SessionError && STORE_FAILURES.includes(error.code)) || isRefusedLogin(error);
}

function assertDistinct({ name, transport }: SessionInstance, other: SessionInstance): void {
  if (name === other.name)
    throw new SessionError(
      'SESSION_NAME_TAKEN',
      `SessionModule.forRoot() was called twice for the instance '${name}'. Call it once, in the root module, or give the second a name.`,
    );
  // The case of a header's name tells nothing apart.
  const taken = new Set(channelsOf(other.transport).map((channel) => channel.toLowerCase()));
  for (const channel of channelsOf(transport))
    if (taken.has(channel.toLowerCase()))
      throw new SessionError(
        'SESSION_NAME_TAKEN',
        `The session instances '${name}' and '${other.name}' both use the ${channel}. Give one of them another.`,
      );
}

function channelsOf({ parts, channel, answersIn = channel }: SessionTransport): string[] {
  return parts?.flatMap(channelsOf) ?? [channel, answersIn];
}
