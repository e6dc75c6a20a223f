import {
  MemorySessionStore,
  SessionService,
  describePolicy,
  type PolicyName,
  type SessionModuleOptions,
  type SessionPolicy,
} from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { visitor } from '../support/visitor';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What `describePolicy` finds wrong. */
function refusal(options: SessionModuleOptions): string[] {
  try {
    describePolicy(options);
    return [];
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.slice('  - '.length));
  }
}

const timeoutsOf = ({ preset, lifetime, idleTimeout, rememberMe }: SessionPolicy): object => ({
  ...{ preset, lifetime, idleTimeout, rememberMe },
});

describe('describePolicy()', () => {
  it('E7: tells the whole policy of the defaults', () => {
    expect(describePolicy({})).toEqual({
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
      always: [
        'A token has 256 random bits besides a public id; a store has its SHA-256 only.',
        'The token is replaced by each login, second factor, change of rights and end of a login.',
        'Timeouts are enforced on the server.',
        'A logout ends the session on the server.',
      ],
    });
  });

  it('E7: tells what is configured, and is JSON', () => {
    const policy = describePolicy(
      {
        ...{ lifetime: '8h', idleTimeout: false, rememberMe: { lifetime: '7d', idleTimeout: '2d' } },
        ...{ onIdle: 'lock', pendingLifetime: '5m', rotateEvery: '1h', cookie: { name: '__Host-staff' } },
        ...{ maxSessionsPerPrincipal: () => 3, onLimit: 'refuse', store: new MemorySessionStore() },
      },
      'staff',
    );
    expect(JSON.parse(JSON.stringify(policy))).toMatchObject({
      ...{ name: 'staff', lifetime: 8 * HOUR, idleTimeout: null, onIdle: 'lock' },
      rememberMe: { lifetime: 7 * DAY, idleTimeout: 2 * DAY },
      ...{ pendingLifetime: 5 * MINUTE, rotateEvery: HOUR, tokenIn: 'cookie __Host-staff' },
      ...{ maxSessionsPerPrincipal: 'by principal', onLimit: 'refuse' },
    });
    expect(describePolicy({ maxSessionsPerPrincipal: 3 }, 'admin')).toMatchObject({
      name: 'admin',
      tokenIn: 'cookie __Host-session-admin',
      maxSessionsPerPrincipal: 3,
      onLimit: 'evict-oldest',
    });
  });

  it.each<{ preset: PolicyName; lifetime: number; idleTimeout: number | null }>([
    { preset: 'aal1', lifetime: 30 * DAY, idleTimeout: null },
    { preset: 'aal2', lifetime: DAY, idleTimeout: HOUR },
    { preset: 'aal3', lifetime: 12 * HOUR, idleTimeout: 15 * MINUTE },
  ])('E7: has the timeouts of NIST SP 800-63B-4 with $preset', ({ preset, ...timeouts }) => {
    expect(timeoutsOf(describePolicy({ policy: preset }))).toEqual({
      ...{ preset, ...timeouts, rememberMe: timeouts },
    });
  });

  it('E7: has shorter timeouts that are given beside a preset', () => {
    const options = { lifetime: '1h', idleTimeout: '5m', rememberMe: { lifetime: '2h' } } as const;
    expect(timeoutsOf(describePolicy({ policy: 'aal3', ...options }))).toEqual({
      preset: 'aal3',
      ...{ lifetime: HOUR, idleTimeout: 5 * MINUTE },
      rememberMe: { lifetime: 2 * HOUR, idleTimeout: 15 * MINUTE },
    });
  });

  it('E7: refuses longer ones, in words that name the option', () => {
    expect({
      aal1: refusal({ policy: 'aal1', lifetime: '31d' }),
      aal2: refusal({
        ...{ policy: 'aal2', lifetime: '25h', idleTimeout: false },
        rememberMe: { lifetime: '30d', idleTimeout: '61m' },
      }),
      aal3: refusal({ policy: 'aal3', idleTimeout: 15 * MINUTE + 1 }),
    }).toEqual({
      aal1: ["lifetime is longer than policy 'aal1' allows: at most 30d"],
      aal2: [
        "lifetime is longer than policy 'aal2' allows: at most 24h",
        "idleTimeout is longer than policy 'aal2' allows: at most 1h",
        "rememberMe.lifetime is longer than policy 'aal2' allows: at most 24h",
        "rememberMe.idleTimeout is longer than policy 'aal2' allows: at most 1h",
      ],
      aal3: ["idleTimeout is longer than policy 'aal3' allows: at most 15m"],
    });
  });

  it.each(['aal4', 'constructor', 3, ['aal1'], null])('E7: refuses the preset %p', (policy) => {
    const [problem = ''] = refusal({ policy: policy as never });
    expect(problem).toContain('policy must be one of aal1, aal2, aal3, got ');
  });

  it('is frozen: nothing changes the timeouts of a running application through it', () => {
    const { rememberMe, always, ...policy } = describePolicy({});
    expect([rememberMe, always, describePolicy({})].map((each) => Object.isFrozen(each))).toEqual([
      ...[true, true, true],
    ]);
    expect(policy.name).toBe('default');
  });
});

describe.each(platforms)('a policy on %s', (platform) => {
  afterEach(() => closeApps());

  it('E1, E2: is what describePolicy() tells, and in force', async () => {
    const clock = manualClock();
    const session = scripted();
    const options = { policy: 'aal3', clock } as const;
    const app = await startApp({ platform, options, controllers: [session.controller] });
    const person = await visitor(app);
    await session.run(person, (s) => s.login({ id: 7 }, { rememberMe: true }));
    clock.advance(15 * MINUTE - 1);
    const before = await session.ask(person, (s) => s.principal?.id ?? null);
    clock.advance(15 * MINUTE);
    const after = await session.ask(person, (s) => s.principal);
    expect({ before, after, policy: app.get(SessionService).policy }).toEqual({
      before: '7',
      after: null,
      policy: describePolicy(options),
    });
  });
});
