import type { Meter } from '@opentelemetry/api';

/** The instrumentation scope of the metrics. */
const SCOPE = 'nestjs-tessera';

/**
 * Returns a meter of the OpenTelemetry SDK that the process has started. Returns `null` when it has started none, or `@opentelemetry/api` is
 * not installed: then nothing is measured.
 */
export function openTelemetryMeter(): Meter | null {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an optional peer, loaded when the module starts
    const { metrics, createNoopMeter } = require('@opentelemetry/api') as typeof import('@opentelemetry/api');
    const meter = metrics.getMeter(SCOPE);
    return meter === createNoopMeter() ? null : meter;
  } catch {
    return null;
  }
}
