/**
 * The health of the stores, for `@nestjs/terminus`.
 * @module nestjs-tessera/terminus
 */
export { SessionHealthIndicator } from './session-health.indicator';
export type { SessionPingOptions } from './session-health.indicator';
