import { redisFailureOf, TransientError } from './redis-failure';

const answer = (message: string) => redisFailureOf(new Error(message));

describe('redisFailureOf', () => {
  it.each([
    'LOADING Redis is loading the dataset in memory',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'CLUSTERDOWN The cluster is down',
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "READONLY You can't write against a read only replica.",
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    "READONLY You can't write against a read only replica. script: 22ff, on @user_script:1.",
    "ERR Error running script (call to f_22ff): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica. ",
  ])('F4: tries again after %p', (message) => {
    expect(answer(message).isTransient).toBe(true);
  });

  it.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    "ERR Error running script (call to f_22ff): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'. ",
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist on disk.',
    'MOVED 3999 127.0.0.1:6381',
    'NOAUTH Authentication required.',
    "NOPERM this user has no permissions to run the 'evalsha' command",
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'NOREPLICAS Not enough good replicas to write.',
  ])('F4: gives up after %p', (message) => {
    expect(answer(message).isTransient).toBe(false);
  });

  it('knows the answer of a command in a script of Redis 6', () => {
    const { code } = answer(
      'ERR Error running script (call to f_22ff): @user_script:1: @user_script: 1: -OOM command not allowed',
    );
    expect(code).toBe('OOM');
  });

  it.each([
    new Error('Socket closed unexpectedly'),
    new Error('Disconnects client'),
    new Error('Connection is closed.'),
    new Error('Too many Cluster redirections. Last error: Error: Connection is closed.'),
    new Error('Failed to refresh slots cache.'),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }),
    new TransientError('not yet'),
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  ])('tries again after %p', (error) => {
    expect(redisFailureOf(error)).toMatchObject({ code: null, isTransient: true });
  });

  it.each([
    new Error('The client is offline'),
    new Error('The command was aborted'),
    new TypeError('x'),
    null,
    'x',
  ])('gives up after %p', (error) => {
    expect(redisFailureOf(error)).toMatchObject({ code: null, isTransient: false });
  });

  it.each([
    [
      new AggregateError([
        new Error('connect ECONNREFUSED ::1:1'),
        new Error('connect ECONNREFUSED 127.0.0.1:1'),
      ]),
    ],
    [Object.assign(new Error(''), { code: 'ECONNREFUSED' })],
  ])('W7: always has a reason: %p', (error) => {
    expect(redisFailureOf(error).reason).toMatch(/^the Redis client reported ".*ECONNREFUSED.*"$/);
  });

  it('names the way out where there is one', () => {
    expect(answer("OOM command not allowed when used memory > 'maxmemory'.").reason).toContain(
      'raise maxmemory',
    );
    expect(answer('MOVED 3999 127.0.0.1:6381').reason).toContain('cluster client');
    expect(answer("READONLY You can't write against a read only replica.").reason).toContain('Sentinel');
  });

  it('T3: repeats nothing that was sent', () => {
    const error = Object.assign(
      new Error("ERR unknown command 'EVALSHA', with args beginning with: 'p:session:x' 'hash' "),
      {
        command: { name: 'evalsha', args: ['hash'] },
      },
    );
    expect(JSON.stringify(redisFailureOf(error))).not.toMatch(/hash|session:/);
  });
});
