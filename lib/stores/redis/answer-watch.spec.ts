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
  let watch: AnswerWatch<{ name: string }>;

  beforeEach(() => {
    jest.useFakeTimers();
    const connections = new Map(['a', 'b'].map((name) => [name, { name }]));
    replaced = [];
    watch = AnswerWatch.of(
      {},
      (key) => connections.get(key),
      ({ name }) => replaced.push(name),
    );
  });
  afterEach(() => jest.useRealTimers());

  /** Sends a command whose call has passed its deadline. */
  const sendUnanswered = (key: string) => {
    const sent = command();
    watch.send(key, sent.call, sent.send).catch(() => {});
    sent.call.aborted = true;
    return sent;
  };
  const sendAnswered = (key: string) => watch.send(key, command().call, async () => 'OK');

  it('replaces a connection two looks after the deadline of a call without an answer', () => {
    sendUnanswered('a');
    jest.advanceTimersByTime(2 * SECOND - 1);
    expect(replaced).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(replaced).toEqual(['a']);
  });

  it('waits as long as the deadline of the call allows', () => {
    const { call, send } = command();
    void watch.send('a', call, send);
    jest.advanceTimersByTime(60 * SECOND);
    expect(replaced).toEqual([]);
    call.aborted = true;
    jest.advanceTimersByTime(2 * SECOND);
    expect(replaced).toEqual(['a']);
  });

  it('keeps a connection on which a later command is answered', async () => {
    sendUnanswered('a');
    for (let looks = 0; looks < 10; looks++) {
      jest.advanceTimersByTime(SECOND);
      await sendAnswered('a');
    }
    expect(replaced).toEqual([]);
  });

  it.each<[string, Error, string[]]>([
    ['an error of the server is', new Error('OOM command not allowed'), []],
    ['an error of the client is not', new Error('The command was aborted'), ['a']],
  ])('tells apart what an answer is: %s', async (_, error, expected) => {
    sendUnanswered('a');
    jest.advanceTimersByTime(SECOND);
    const other = command();
    other.fail(error);
    await watch.send('a', other.call, other.send).catch(() => {});
    jest.advanceTimersByTime(SECOND);
    expect(replaced).toEqual(expected);
  });

  it('replaces a silent connection although another one answers', async () => {
    sendUnanswered('a');
    jest.advanceTimersByTime(SECOND);
    await sendAnswered('b');
    jest.advanceTimersByTime(SECOND);
    expect(replaced).toEqual(['a']);
  });

  it('leaves a replaced connection alone for five looks', () => {
    const at: number[] = [];
    for (let second = 1; second <= 20; second++) {
      sendUnanswered('a');
      jest.advanceTimersByTime(SECOND);
      while (at.length < replaced.length) at.push(second);
    }
    expect(at).toEqual([2, 9, 16]);
  });

  it('looks no more when nothing waits', async () => {
    const sent = sendUnanswered('a');
    sent.answer();
    await sent.send();
    jest.advanceTimersByTime(SECOND);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: [] });
  });

  it('does not count a command that a replaced connection never answers against the next one', () => {
    sendUnanswered('a');
    jest.advanceTimersByTime(60 * SECOND);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: ['a'] });
  });

  it('replaces the connection of a client once for all its stores', () => {
    const client = {};
    const connection = { name: 'shared' };
    const [first, second] = [0, 1].map(() =>
      AnswerWatch.of(
        client,
        () => connection,
        ({ name }) => replaced.push(name),
      ),
    );
    for (const each of [first!, second!]) {
      const { call, send } = command();
      void each.send('a', call, send);
      call.aborted = true;
    }
    jest.advanceTimersByTime(3 * SECOND);
    expect(replaced).toEqual(['shared']);
  });
});
