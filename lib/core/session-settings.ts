import type { Clock } from './clock';
import type { SessionCodec } from './session-codec';
import type { LoginSettings } from './login-settings';
import type { EmitSessionEvent } from './session-event';
import type { Timeouts } from './session-expiry';
import type { SessionMeter } from './session-meter';
import type { ValueSchemas } from './value-schemas';

/** The settings of one instance: resolved once, and shared by all parts of the core. Durations are in milliseconds. */
export interface SessionSettings {
  /** The instance's name. It is hashed with each secret, so that a token opens sessions of its own instance only. */
  readonly name: string;
  readonly codec: SessionCodec;
  /** Checks values as they are set, and as they are read from the store. @default none is checked */
  readonly schemas?: ValueSchemas | undefined;
  readonly clock: Clock;
  readonly timeouts: Timeouts;
  /** The timeouts of remembered sessions, which outlive the browser. */
  readonly rememberedTimeouts: Timeouts;
  readonly logins: LoginSettings;
  /** Whether the client keeps the token of each session across a restart of the browser, not only of remembered ones. */
  readonly persistent: boolean;
  /** The age from which a request rotates the secret; `0` for every request, `null` for never. */
  readonly rotateEvery: number | null;
  /** Maximum size of a body, in UTF-8 bytes. */
  readonly maxBytes: number;
  /** Maximum duration of a store call. */
  readonly storeTimeout: number;
  /** The keys of sealed sessions are derived from this text, so that a value sealed for one transport does not open for another. */
  readonly sealedFor: string;
  readonly emit: EmitSessionEvent;
  /** Receives measurements. Absent when nothing measures, and then nothing is measured. */
  readonly meter?: SessionMeter;
}
