import { Logger } from '@nestjs/common';
import { Observable, Subject, Subscriber, type Observer, type Operator, type Subscription } from 'rxjs';
import type { SessionEvent } from './core/session-event';

const eventLogger = new Logger('SessionEvents');

const applications = new WeakMap<object, SessionEvents>();

/**
 * The session events of all instances, as a stream: `events.pipe(filter(({ type }) => type === 'loggedIn')).subscribe(…)`. Their
 * `sessionName` tells the instance; `sessionEventsToken(name)` is the stream of one.
 * A listener that throws, rejects or hangs does not affect the request that caused the event.
 */
export class SessionEvents extends Observable<SessionEvent> {
  readonly #subject: Subject<SessionEvent>;
  /** The streams of instances that are part of this one and have not ended. */
  readonly #parts = new Set<SessionEvents>();

  /**
   * @internal The stream of all instances of an application.
   * @param application the `HttpAdapterHost`, of which Nest creates one for each application
   */
  static of(application: object): SessionEvents {
    const events = applications.get(application) ?? new SessionEvents();
    applications.set(application, events);
    return events;
  }

  /** @internal The module creates it: inject it. */
  constructor() {
    const subject = new Subject<SessionEvent>();
    super((subscriber) => subject.subscribe(subscriber));
    this.#subject = subject;
  }

  /** @internal Passes an event to all listeners. */
  emit(event: SessionEvent): void {
    this.#subject.next(Object.freeze(event));
  }

  /** @internal Makes an instance's stream part of this one, which ends with the last of them. */
  include(part: SessionEvents): void {
    this.#parts.add(part);
    part.subscribe({
      next: (event) => this.emit(event),
      complete: () => this.#parts.delete(part) && this.#parts.size === 0 && this.complete(),
    });
  }

  /** @internal Ends the stream. */
  complete(): void {
    this.#subject.complete();
  }

  /** @internal RxJS calls it for each operator. */
  override lift<R>(operator?: Operator<SessionEvent, R>): Observable<R> {
    return new GuardedEvents<R>(this, operator);
  }

  /**
   * Calls the listener with each event, until the application has shut down or the subscription ends. What the listener throws or rejects with is
   * logged.
   */
  override subscribe(
    observer?: Partial<Observer<SessionEvent>> | ((event: SessionEvent) => void) | null,
  ): Subscription {
    return super.subscribe(guard(observer));
  }
}

/** The stream after an operator. RxJS rethrows the error of a listener asynchronously, uncaught, which would end the process. */
class GuardedEvents<T> extends Observable<T> {
  constructor(source: Observable<unknown>, operator: Operator<unknown, T> | undefined) {
    super();
    this.source = source;
    this.operator = operator as Operator<unknown, T>;
  }

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    return new GuardedEvents<R>(this, operator);
  }

  override subscribe(observer?: Partial<Observer<T>> | ((value: T) => void) | null): Subscription {
    return super.subscribe(guard(observer));
  }
}

/** Catches errors thrown by a listener. A `Subscriber` comes from an operator, which handles errors itself. */
function guard<T>(observer?: Partial<Observer<T>> | ((value: T) => void) | null): Partial<Observer<T>> {
  if (observer instanceof Subscriber) return observer;
  const { next, error, complete } = typeof observer === 'function' ? { next: observer } : (observer ?? {});
  return {
    next: (value) => safely(() => next?.call(observer, value)),
    error: (reason) => safely(() => (error === undefined ? report(reason) : error.call(observer, reason))),
    complete: () => safely(() => complete?.call(observer)),
  };
}

function safely(listener: () => unknown): void {
  try {
    const result = listener();
    if (result instanceof Promise) result.catch(report);
  } catch (error) {
    report(error);
  }
}

function report(error: unknown): void {
  eventLogger.error('A listener of session events failed', error);
}
