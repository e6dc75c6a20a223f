import type { Clock } from '../core/clock';
import type { EmitSessionEvent } from '../core/session-event';
import type { SessionManager } from '../core/session-manager';
import type { SessionTransport } from '../transports/session-transport';

/** What one `SessionModule.forRoot` amounts to on the path of a request. */
export interface SessionInstance {
  readonly name: string;
  readonly manager: SessionManager;
  readonly transport: SessionTransport;
  readonly clock: Clock;
  readonly asyncContext: boolean;
  readonly emit: EmitSessionEvent;
  /** Says why a session could not begin, once. */
  warnObstacle(obstacle: string): void;
}
