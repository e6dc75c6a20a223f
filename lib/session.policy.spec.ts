import type { PolicyName } from './core/session-policy';
import { SessionError } from './core/session.errors';
import { describePolicy, type SessionModuleOptions } from './session.options';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The message of the refusal, or `null`. */
function refusal(options: SessionModuleOptions): string | null {
  try {
    describePolicy(options);
    return null;
  } catch (error) {
    expect(error).toMatchObject({ code: 'SESSION_OPTIONS_INVALID' } satisfies Partial<SessionError>);
    return (error as Error).message;
  }
}

describe('the session policy', () => {
  it('E7: without options is that of the defaults', () => {
    const { always, ...policy } = describePolicy({});
    expect(policy).toEqual({
      name: 'default',
      preset: null,
      lifetime: DAY,
      idleTimeout: 30 * MINUTE,
      onIdle: 'end',
      rememberMe: { lifetime: 30 * DAY, idleTimeout: null },
      pendingLifetime: 10 * MINUTE,
      maxSessionsPerPrincipal: null,
      onLimit: null,
      rotateEvery: null,
      tokenIn: 'cookie __Host-session',
    });
    expect(always).toContain('A logout ends the session on the server.');
  });

  it('E7: has what the options say', () => {
    const options: SessionModuleOptions = {
      lifetime: '8h',
      idleTimeout: false,
      rememberMe: { lifetime: '7d', idleTimeout: '1d' },
      onIdle: 'lock',
      pendingLifetime: '5m',
      maxSessionsPerPrincipal: 3,
      onLimit: 'refuse',
      rotateEvery: '15m',
    };
    expect(describePolicy(options, 'admin')).toMatchObject({
      name: 'admin',
      lifetime: 8 * HOUR,
      idleTimeout: null,
      onIdle: 'lock',
      rememberMe: { lifetime: 7 * DAY, idleTimeout: DAY },
      pendingLifetime: 5 * MINUTE,
      maxSessionsPerPrincipal: 3,
      onLimit: 'refuse',
      rotateEvery: 15 * MINUTE,
      tokenIn: 'cookie __Host-session-admin',
    });
    expect(describePolicy({ maxSessionsPerPrincipal: () => 3 })).toMatchObject({
      maxSessionsPerPrincipal: 'by principal',
      onLimit: 'evict-oldest',
    });
  });

  it.each<{ policy: PolicyName; lifetime: number; idleTimeout: number | null }>([
    { policy: 'aal1', lifetime: 30 * DAY, idleTimeout: null },
    { policy: 'aal2', lifetime: DAY, idleTimeout: HOUR },
    { policy: 'aal3', lifetime: 12 * HOUR, idleTimeout: 15 * MINUTE },
  ])('E7: $policy sets the timeouts of NIST SP 800-63B-4, also of remembered sessions', (row) => {
    const { policy, ...timeouts } = row;
    expect(describePolicy({ policy })).toMatchObject({
      preset: policy,
      ...timeouts,
      rememberMe: timeouts,
    });
  });

  it.each<{ what: string; options: SessionModuleOptions; problem: string }>([
    {
      what: 'lifetime',
      options: { policy: 'aal3', lifetime: 12 * HOUR + 1 },
      problem: "lifetime is longer than policy 'aal3' allows: at most 12h",
    },
    {
      what: 'idle timeout',
      options: { policy: 'aal2', idleTimeout: '61m' },
      problem: "idleTimeout is longer than policy 'aal2' allows: at most 1h",
    },
    {
      what: 'missing idle timeout',
      options: { policy: 'aal2', idleTimeout: false },
      problem: "idleTimeout is longer than policy 'aal2' allows: at most 1h",
    },
    {
      what: 'lifetime of remembered sessions',
      options: { policy: 'aal2', rememberMe: { lifetime: '30d' } },
      problem: "rememberMe.lifetime is longer than policy 'aal2' allows: at most 24h",
    },
  ])('E7: of a level refuses a longer $what, in words', ({ options, problem }) => {
    expect(refusal(options)).toContain(problem);
  });

  it('E7: of a level takes shorter timeouts', () => {
    const options: SessionModuleOptions = { policy: 'aal2', lifetime: '8h', idleTimeout: '15m' };
    expect(describePolicy(options)).toMatchObject({
      preset: 'aal2',
      lifetime: 8 * HOUR,
      idleTimeout: 15 * MINUTE,
    });
  });

  it('E7: refuses the name of no level', () => {
    expect(refusal({ policy: 'aal4' as PolicyName })).toContain(
      'policy must be one of aal1, aal2, aal3, got "aal4"',
    );
  });
});
