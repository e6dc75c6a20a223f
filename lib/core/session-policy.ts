import type { LimitPolicy } from './login-settings';
import type { SessionSettings } from './session-settings';

/** A preset of the timeouts of NIST SP 800-63B-4 for an authentication assurance level. */
export type PolicyName = 'aal1' | 'aal2' | 'aal3';

/** The longest timeouts of a preset, which are also its defaults: NIST SP 800-63B-4, sections 2.1.3, 2.2.3 and 2.3.3. */
export interface PolicyTimeouts {
  readonly lifetime: string;
  /** `false` for no limit within the lifetime. */
  readonly idleTimeout: string | false;
}

export const POLICIES: Record<PolicyName, PolicyTimeouts> = {
  aal1: { lifetime: '30d', idleTimeout: false },
  aal2: { lifetime: '24h', idleTimeout: '1h' },
  aal3: { lifetime: '12h', idleTimeout: '15m' },
};

/** The session policy in force, for documentation (OWASP ASVS 5.0, 7.1.1 to 7.1.3) and for tests. Durations are in milliseconds. */
export interface SessionPolicy {
  /** The name of the instance. */
  readonly name: string;
  /** The preset that was chosen, or `null`. */
  readonly preset: PolicyName | null;
  /** Maximum duration of a session from its creation or login, regardless of activity. */
  readonly lifetime: number;
  /** Maximum time between two requests; `null` for no limit within the lifetime. */
  readonly idleTimeout: number | null;
  /** What the idle timeout does to a login: ends its session, or locks it until the principal is proved again. */
  readonly onIdle: 'end' | 'lock';
  /** The timeouts of sessions that survive a restart of the browser. */
  readonly rememberMe: {
    /** Maximum duration from the creation or login, regardless of activity. */
    readonly lifetime: number;
    /** Maximum time between two requests; `null` for no limit within the lifetime. */
    readonly idleTimeout: number | null;
  };
  /** Maximum duration of a pending login, until its further factor is proved. */
  readonly pendingLifetime: number;
  /** The number, `null` for no limit, or `'by principal'` for a function. */
  readonly maxSessionsPerPrincipal: number | 'by principal' | null;
  /** What happens at a login beyond that number; `null` without a limit. */
  readonly onLimit: LimitPolicy | null;
  /** The age at which a token is replaced without a change of rights; `null` for never. */
  readonly rotateEvery: number | null;
  /** What carries the token, such as `cookie __Host-session`. */
  readonly tokenIn: string;
  /** What holds always: no option turns it off. */
  readonly always: readonly string[];
}

const ALWAYS: readonly string[] = Object.freeze([
  'A token has 256 random bits besides a public id; a store has its SHA-256 only.',
  'The token is replaced by each login, second factor, change of rights and end of a login.',
  'Timeouts are enforced on the server.',
  'A logout ends the session on the server.',
]);

/** Returns the policy that settings result in, frozen. */
export function policyOf(
  settings: Pick<SessionSettings, 'name' | 'timeouts' | 'rememberedTimeouts' | 'logins' | 'rotateEvery'>,
  { preset, max, tokenIn }: { preset: PolicyName | null; max: unknown; tokenIn: string },
): SessionPolicy {
  const { name, timeouts, rememberedTimeouts, rotateEvery } = settings;
  const { limit, locksWhenIdle, pendingLifetime } = settings.logins;
  const rememberMe = Object.freeze({ ...rememberedTimeouts });
  return Object.freeze({
    ...{ name, preset, ...timeouts, onIdle: locksWhenIdle ? 'lock' : 'end', rememberMe },
    ...{ pendingLifetime, rotateEvery, onLimit: limit?.policy ?? null, tokenIn, always: ALWAYS },
    maxSessionsPerPrincipal: limit === null ? null : typeof max === 'number' ? max : 'by principal',
  });
}
