export { SessionHealthIndicator } from './session-health.indicator';
export type { SessionPingOptions } from './session-health.indicator';
