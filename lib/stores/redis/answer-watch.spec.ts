import { AnswerWatch } from './answer-watch';

const SECOND = 1000;

/** A command that the test answers when it likes. */
function command() {
  let answer!: (reply?: string) => void;
  let fail!: (error: Error) => void;
  const reply = new Promise<unknown>((resolve, reject) => ([answer, fail] = [resolve, reject]));
  const call = { signal: new AbortController().signal, aborted: false };
  return { call, answer, fail, send: () => reply };
}

describe('AnswerWatch', () => {
  let replaced: string[];
  let received: number;
  let watch: AnswerWatch<{ name: string }>;

  beforeEach(() => {
    jest.useFakeTimers();
    replaced = [];
    received = 0;
    watch = new AnswerWatch(
      ({ name }) => replaced.push(name),
      () => received,
    );
  });
  afterEach(() => jest.useRealTimers());

  const a = { name: 'a' };
  const b = { name: 'b' };
  const onA = () => a;
  const onB = () => b;

  /** Sends a command whose call has passed its deadline. */
  const sendUnanswered = (connectionOf: () => { name: string }) => {
    const sent = command();
    watch.send(connectionOf, sent.call, sent.send).catch(() => {});
    sent.call.aborted = true;
    return sent;
  };
  const sendAnswered = (connectionOf: () => { name: string }) =>
    watch.send(connectionOf, command().call, async () => 'OK');
  const sendFailing = (error: Error) =>
    watch.send(onA, command().call, async () => Promise.reject(error)).catch(() => {});

  it('replaces a connection two looks after the deadline of a call without an answer', () => {
    sendUnanswered(onA);
    jest.advanceTimersByTime(2 * SECOND - 1);
    expect(replaced).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(replaced).toEqual(['a']);
  });

  it('waits as long as the deadline of the call allows', () => {
    const { call, send } = command();
    void watch.send(onA, call, send);
    jest.advanceTimersByTime(60 * SECOND);
    expect(replaced).toEqual([]);
    call.aborted = true;
    jest.advanceTimersByTime(2 * SECOND);
    expect(replaced).toEqual(['a']);
  });

  it('keeps a connection on which a later command is answered', async () => {
    sendUnanswered(onA);
    for (let looks = 0; looks < 10; looks++) {
      jest.advanceTimersByTime(SECOND);
      await sendAnswered(onA);
    }
    expect(replaced).toEqual([]);
  });

  it.each<[string, Error, string[]]>([
    ['an error of the server is', new Error('OOM command not allowed'), []],
    ['an error of the client is not', new Error('The command was aborted'), ['a']],
  ])('tells apart what an answer is: %s', async (_, error, expected) => {
    sendUnanswered(onA);
    jest.advanceTimersByTime(SECOND);
    await sendFailing(error);
    jest.advanceTimersByTime(SECOND);
    expect(replaced).toEqual(expected);
  });

  it('replaces a silent connection although another one answers', async () => {
    sendUnanswered(onA);
    jest.advanceTimersByTime(SECOND);
    await sendAnswered(onB);
    jest.advanceTimersByTime(SECOND);
    expect(replaced).toEqual(['a']);
  });

  it('leaves a replaced connection alone for five looks', () => {
    const at: number[] = [];
    for (let second = 1; second <= 20; second++) {
      sendUnanswered(onA);
      jest.advanceTimersByTime(SECOND);
      while (at.length < replaced.length) at.push(second);
    }
    expect(at).toEqual([2, 9, 16]);
  });

  it('looks no more when nothing waits', async () => {
    const sent = sendUnanswered(onA);
    sent.answer();
    await sent.send();
    jest.advanceTimersByTime(SECOND);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: [] });
  });

  it('does not count a command that a replaced connection never answers against the next one', () => {
    sendUnanswered(onA);
    jest.advanceTimersByTime(60 * SECOND);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: ['a'] });
  });

  it('replaces a connection on which the client itself gave a command up', async () => {
    await sendFailing(new Error('Command timed out'));
    jest.advanceTimersByTime(2 * SECOND);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: ['a'] });
  });

  it('keeps a connection that receives something after the client gave a command up', async () => {
    await sendFailing(new Error('Command timed out'));
    jest.advanceTimersByTime(SECOND);
    received += 5;
    jest.advanceTimersByTime(60 * SECOND);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: [] });
  });

  it('keeps a connection on which another command is answered after the client gave one up', async () => {
    await sendFailing(new Error('Command timed out'));
    jest.advanceTimersByTime(SECOND);
    await sendAnswered(onA);
    jest.advanceTimersByTime(60 * SECOND);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: [] });
  });

  it('goes on looking when a connection cannot be replaced or found', () => {
    const tried: string[] = [];
    watch = new AnswerWatch(({ name }) => {
      tried.push(name);
      throw new Error('The client is closed');
    });
    sendUnanswered(() => {
      throw new Error('no such master');
    });
    sendUnanswered(onA);
    jest.advanceTimersByTime(2 * SECOND);
    sendUnanswered(onB);
    jest.advanceTimersByTime(2 * SECOND);
    expect(tried).toEqual(['a', 'b']);
  });

  it('hands out an answer although its connection cannot be found', async () => {
    sendUnanswered(onA);
    jest.advanceTimersByTime(SECOND);
    const lost = () => {
      throw new Error('no such master');
    };
    expect(await sendAnswered(lost)).toBe('OK');
  });

  it('replaces nothing after it was stopped, which takes until the last command has ended', async () => {
    const sent = sendUnanswered(onA);
    jest.advanceTimersByTime(SECOND);
    let isStopped = false;
    const stopping = watch.stop().then(() => (isStopped = true));
    jest.advanceTimersByTime(60 * SECOND);
    const before = { isStopped, waitedFor: [...watch.waitedFor] };
    sent.answer();
    await stopping;
    const after = { isStopped, waitedFor: [...watch.waitedFor] };
    expect({ before, after, replaced }).toEqual({
      before: { isStopped: false, waitedFor: [a] },
      after: { isStopped: true, waitedFor: [] },
      replaced: [],
    });
  });
});
