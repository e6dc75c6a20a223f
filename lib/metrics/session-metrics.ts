import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';
import { errorType } from '../core/error-type';
import type { SessionEvent } from '../core/session-event';
import type { SessionMeter } from '../core/session-meter';

/** Seconds. Those that OpenTelemetry's semantic conventions give for `db.client.operation.duration`. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** The events of ended sessions. */
const ENDS: ReadonlySet<string> = new Set(['destroyed', 'expired', 'evicted', 'stolen']);

/** The reasons of ended sessions. An application may give others to `endAll`; those are counted as one, so that they stay few. */
const END_REASONS: ReadonlySet<string> = new Set([
  'destroy',
  'logout',
  'login',
  'merge',
  'revoked',
  'deadline-passed',
  'idle-timeout',
  'lifetime',
  'limit',
  'stolen',
]);

/**
 * The metrics of one instance. Attributes tell the instance, the reason, the operation and the kind of error, and nothing that identifies a
 * session or a principal. What an SDK throws is ignored.
 */
export class SessionMetrics implements SessionMeter {
  readonly #created: Counter;
  readonly #signIns: Counter;
  readonly #ended: Counter;
  readonly #rejected: Counter;
  readonly #conflicts: Counter;
  readonly #commitDuration: Histogram;
  readonly #operationDuration: Histogram;
  readonly #instance: Attributes;

  /** @param name the name of the instance */
  constructor(meter: Meter, name: string) {
    const counter = (metric: string, unit: string, description: string): Counter =>
      meter.createCounter(metric, { unit, description });
    const histogram = (metric: string, description: string): Histogram =>
      meter.createHistogram(metric, {
        unit: 's',
        description,
        advice: { explicitBucketBoundaries: BUCKETS },
      });
    this.#created = counter('tessera.session.created', '{session}', 'Sessions that were stored first.');
    this.#signIns = counter('tessera.session.sign_ins', '{sign_in}', 'Logins.');
    this.#ended = counter('tessera.session.ended', '{session}', 'Sessions that ended.');
    this.#rejected = counter(
      'tessera.session.rejected',
      '{request}',
      'Tokens that were refused, and changes that were dropped.',
    );
    this.#conflicts = counter(
      'tessera.session.conflicts',
      '{conflict}',
      'Writes that the store refused, because another request wrote first.',
    );
    this.#commitDuration = histogram('tessera.session.commit.duration', 'Duration of commits that write.');
    this.#operationDuration = histogram('tessera.store.operation.duration', 'Duration of store calls.');
    this.#instance = { 'tessera.session.name': name };
  }

  /** Counts what an event tells. */
  count({ type, reason }: SessionEvent): void {
    if (type === 'created') this.#add(this.#created);
    else if (type === 'loggedIn') this.#add(this.#signIns);
    else if (type === 'rejected') this.#add(this.#rejected, { reason: reason ?? 'other' });
    else if (ENDS.has(type)) {
      const why = type === 'stolen' ? type : reason;
      this.#add(this.#ended, { reason: why !== null && END_REASONS.has(why) ? why : 'other' });
    }
  }

  conflict(): void {
    this.#add(this.#conflicts);
  }

  commit(duration: number, error?: unknown): void {
    this.#record(this.#commitDuration, duration, failure(error));
  }

  storeOperation(operation: string, duration: number, error?: unknown): void {
    this.#record(this.#operationDuration, duration, { operation, ...failure(error) });
  }

  #add(counter: Counter, attributes: Attributes = {}): void {
    safely(() => counter.add(1, { ...this.#instance, ...attributes }));
  }

  #record(histogram: Histogram, duration: number, attributes: Attributes): void {
    safely(() => histogram.record(duration, { ...this.#instance, ...attributes }));
  }
}

/** `error.type` by the semantic conventions of OpenTelemetry: set when something failed, and one of few values. */
function failure(error: unknown): Attributes {
  return error === undefined ? {} : { 'error.type': errorType(error) };
}

function safely(measure: () => void): void {
  try {
    measure();
  } catch {
    // A measurement must not fail the request.
  }
}
