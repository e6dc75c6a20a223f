import type { Clock } from './clock';
import type { SessionCodec } from './session-codec';
import type { EmitSessionEvent } from './session-event';
import type { Timeouts } from './session-expiry';

/** What one instance works by: resolved once, and shared by every part of the core. Durations are in milliseconds. */
export interface SessionSettings {
  /** The instance's name. It is hashed with the secret, so that a token opens sessions of its own instance only. */
  readonly name: string;
  readonly codec: SessionCodec;
  readonly clock: Clock;
  readonly timeouts: Timeouts;
  /** Timeouts of sessions that outlive the browser. */
  readonly rememberedTimeouts: Timeouts;
  /** After how long a request replaces the secret that it came with; `0` at every request, `null` never. */
  readonly rotateEvery: number | null;
  /** Largest body, in UTF-8 bytes. */
  readonly maxBytes: number;
  /** How long a store call may take. */
  readonly storeTimeout: number;
  /** From what the keys of sealed sessions are derived: a value sealed for one transport does not open for another. */
  readonly sealedFor: string;
  readonly emit: EmitSessionEvent;
}
