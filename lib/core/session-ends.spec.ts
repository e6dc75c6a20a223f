import { SessionEnds } from './session-ends';
import { newSessionId, newToken } from './session-token';
import type { EndListener } from './store-capabilities';
import type { LoginEnd, LoginStatus, WatchedLogin } from './watched-login';

const SECOND = 1000;
const HOUR = 3_600_000;

beforeEach(() => jest.useFakeTimers({ now: 0 }));
afterEach(() => jest.useRealTimers());

function aLogin(given: Partial<WatchedLogin> = {}): WatchedLogin {
  const id = newSessionId();
  const { secretHash } = newToken(id, 'default');
  const times = { startedAt: 0, standsSince: 0, expiresAt: HOUR, locksAt: null, deadline: 2 * HOUR };
  const who = { principal: 'default:ada', actsAs: null, family: null, isPending: false };
  return { id, version: 1, secretHash, ...who, ...times, ...given };
}

/** A source whose logins stay as they are until a test ends them. */
class ScriptedSource {
  readonly ended = new Map<string, LoginEnd>();
  /** The ids of each read. */
  readonly reads: string[][] = [];
  listener: EndListener | undefined;
  isActive = true;
  subscriptions = 0;
  fails = false;
  /** Ids that cannot be read. */
  readonly unreadable = new Set<string>();
  /** Runs before a read is answered. */
  during: () => void | Promise<void> = () => {};

  constructor(private readonly tells: boolean) {}

  async statusOf(logins: readonly WatchedLogin[]): Promise<(LoginStatus | null)[]> {
    this.reads.push(logins.map(({ id }) => id));
    const statuses = logins.map((login) =>
      this.unreadable.has(login.id)
        ? null
        : (this.ended.get(login.id) ?? { ...login, expiresAt: Date.now() + HOUR }),
    );
    await this.during();
    if (this.fails) throw new Error('down');
    return statuses;
  }

  watchEnds(listener: EndListener) {
    if (!this.tells) return null;
    this.subscriptions++;
    this.listener = listener;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- its state changes later
    const source = this;
    return {
      get isActive() {
        return source.isActive;
      },
      close: () => void this.subscriptions--,
    };
  }
}

/** Watches logins, with what was told of each. */
function watching(source: ScriptedSource, logins: readonly WatchedLogin[]) {
  const ends = new SessionEnds(source, () => Date.now());
  const told = new Map<string, LoginEnd[]>(logins.map(({ id }) => [id, []]));
  const stops = logins.map((login) => ends.watch(login, (end) => told.get(login.id)!.push(end)));
  return { ends, stops, told: (login: WatchedLogin) => told.get(login.id)! };
}

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

describe.each([
  ['that tells of ends', true],
  ['that does not', false],
])('watched logins over a store %s', (_, tells) => {
  it('end within a second, each once, and no other', async () => {
    const source = new ScriptedSource(tells);
    const [ada, bob] = [aLogin(), aLogin()];
    const { told } = watching(source, [ada, bob]);
    await pass(5 * SECOND);
    source.ended.set(ada.id, 'ended');
    source.listener?.(ada.id);
    await pass(SECOND);
    await pass(60 * SECOND);
    expect({ ada: told(ada), bob: told(bob) }).toEqual({ ada: ['ended'], bob: [] });
  });

  it('end at once when they had ended before', async () => {
    const source = new ScriptedSource(tells);
    const login = aLogin();
    source.ended.set(login.id, 'other-login');
    const { told } = watching(source, [login]);
    await pass(1);
    expect(told(login)).toEqual(['other-login']);
  });

  it('expire within a second, if they were not extended', async () => {
    const source = new ScriptedSource(tells);
    const [extended, expiring] = [aLogin(), aLogin()].map((login) => ({ ...login, expiresAt: 10 * SECOND }));
    const { told } = watching(source, [extended!, expiring!]);
    await pass(9 * SECOND);
    source.ended.set(expiring!.id, 'expired');
    // The reads so far have extended both by an hour.
    jest.setSystemTime(Date.now() + HOUR);
    await pass(SECOND);
    expect({ extended: told(extended!), expiring: told(expiring!) }).toEqual({
      extended: [],
      expiring: ['expired'],
    });
  });

  it('go on while the store fails, and end when it answers again', async () => {
    const source = new ScriptedSource(tells);
    const login = aLogin();
    const { told } = watching(source, [login]);
    await pass(SECOND);
    source.fails = true;
    source.ended.set(login.id, 'ended');
    source.listener?.(login.id);
    await pass(5 * SECOND);
    const meanwhile = [...told(login)];
    source.fails = false;
    await pass(SECOND);
    expect({ meanwhile, afterwards: told(login) }).toEqual({ meanwhile: [], afterwards: ['ended'] });
  });

  it('S2: end within a second while others cannot be read, and those when they can be', async () => {
    const source = new ScriptedSource(tells);
    const many = Array.from({ length: 1500 }, () => aLogin());
    const last = aLogin();
    const { told } = watching(source, [...many, last]);
    for (const { id } of many) source.unreadable.add(id).delete(many[700]!.id);
    await pass(5 * SECOND);
    for (const { id } of [last, many[0]!]) source.ended.set(id, 'ended');
    source.listener?.(last.id);
    await pass(SECOND);
    const meanwhile = { last: [...told(last)], unreadable: [...told(many[0]!)] };
    source.unreadable.clear();
    await pass(SECOND);
    expect({ meanwhile, afterwards: told(many[0]!) }).toEqual({
      meanwhile: { last: ['ended'], unreadable: [] },
      afterwards: ['ended'],
    });
  });

  it('that cannot be read are read a few at a time, each by itself, and all in turn', async () => {
    const source = new ScriptedSource(tells);
    const logins = Array.from({ length: 40 }, () => aLogin());
    for (const { id } of logins) source.unreadable.add(id);
    watching(source, logins);
    await pass(1);
    source.reads.length = 0;
    await pass(1.6 * SECOND);
    const sizes = new Set(source.reads.map(({ length }) => length));
    expect({
      sizes: [...sizes],
      reads: source.reads.length,
      different: new Set(source.reads.flat()).size,
    }).toEqual({ sizes: [1], reads: 48, different: 40 });
  });

  it('are told nothing after they were let go', async () => {
    const source = new ScriptedSource(tells);
    const login = aLogin();
    const { stops, told } = watching(source, [login]);
    await pass(SECOND);
    stops[0]!();
    source.ended.set(login.id, 'ended');
    source.listener?.(login.id);
    await pass(60 * SECOND);
    expect(told(login)).toEqual([]);
  });

  it('need no timer and no subscription a while after the last was let go', async () => {
    const source = new ScriptedSource(tells);
    const { stops } = watching(source, [aLogin()]);
    await pass(SECOND);
    stops[0]!();
    await pass(5 * SECOND);
    const soon = { timers: jest.getTimerCount(), subscriptions: source.subscriptions };
    await pass(60 * SECOND);
    const later = { timers: jest.getTimerCount(), subscriptions: source.subscriptions };
    const subscriptions = tells ? 1 : 0;
    expect({ soon, later }).toEqual({
      soon: { timers: 1, subscriptions },
      later: { timers: 0, subscriptions: 0 },
    });
  });
});

it.each([
  ['answers slowly', false],
  ['times out', true],
])('reads during half of the time at most when the store %s', async (_, fails) => {
  const source = new ScriptedSource(false);
  let busy = 0;
  source.fails = fails;
  source.during = () => {
    busy += 2 * SECOND;
    return new Promise((resolve) => setTimeout(resolve, 2 * SECOND));
  };
  watching(source, [aLogin()]);
  await pass(60 * SECOND);
  expect({ isBusy: busy > 20 * SECOND, isTooBusy: busy > 32 * SECOND }).toEqual({
    isBusy: true,
    isTooBusy: false,
  });
});

describe('the reads of a store that tells of ends', () => {
  it('are one for many hints, and a few more for copies that are removed after the hint', async () => {
    const source = new ScriptedSource(true);
    const logins = [aLogin(), aLogin(), aLogin()];
    watching(source, logins);
    await pass(SECOND);
    source.reads.length = 0;
    for (const { id } of [...logins, ...logins]) source.listener!(id);
    source.listener!(newSessionId());
    await pass(10 * SECOND);
    const ids = logins.map(({ id }) => id);
    expect(source.reads).toEqual(Array.from({ length: 5 }, () => ids));
  });

  it('are repeated for a hint that comes during a read', async () => {
    const source = new ScriptedSource(true);
    const login = aLogin();
    const { told } = watching(source, [login]);
    source.during = () => {
      source.during = () => {};
      source.ended.set(login.id, 'ended');
      source.listener!(login.id);
    };
    await pass(10);
    expect({ told: told(login), reads: source.reads.length }).toEqual({ told: ['ended'], reads: 2 });
  });

  it('find within 30 seconds what no hint came for', async () => {
    const source = new ScriptedSource(true);
    const login = aLogin();
    const { told } = watching(source, [login]);
    await pass(SECOND);
    source.ended.set(login.id, 'ended');
    await pass(20 * SECOND);
    const before = [...told(login)];
    await pass(11 * SECOND);
    expect({ before, reads: source.reads.length, told: told(login) }).toEqual({
      before: [],
      reads: 2,
      told: ['ended'],
    });
  });

  it('are as many as without hints while the subscription is inactive', async () => {
    const source = new ScriptedSource(true);
    const login = aLogin();
    const { told } = watching(source, [login]);
    source.isActive = false;
    await pass(5 * SECOND);
    const reads = source.reads.length;
    source.ended.set(login.id, 'ended');
    await pass(SECOND);
    expect({ isReadEachTick: reads >= 10, told: told(login) }).toEqual({
      isReadEachTick: true,
      told: ['ended'],
    });
  });

  it('are of all logins when hints may have been lost', async () => {
    const source = new ScriptedSource(true);
    const logins = [aLogin(), aLogin()];
    const { told } = watching(source, logins);
    await pass(SECOND);
    source.ended.set(logins[1]!.id, 'ended');
    source.listener!(null);
    await pass(1);
    expect(logins.map(told)).toEqual([[], ['ended']]);
  });
});

it('forgets all watches when the application ends', async () => {
  const source = new ScriptedSource(true);
  const login = aLogin();
  const { ends, told } = watching(source, [login]);
  ends.close();
  source.ended.set(login.id, 'ended');
  await pass(60 * SECOND);
  const { subscriptions } = source;
  expect({ told: told(login), timers: jest.getTimerCount(), subscriptions }).toEqual({
    told: [],
    timers: 0,
    subscriptions: 0,
  });
});
