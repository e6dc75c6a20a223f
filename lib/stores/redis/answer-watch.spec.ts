import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { AnswerWatch } from './answer-watch';

const SECOND = 1000;

/** Answers 1.5 seconds after it was connected to. */
const LATE_SERVER = `
  const server = require('node:net').createServer((socket) => setTimeout(() => socket.end('late'), 1500));
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

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
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'clearImmediate'] });
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

  /** Lets as many looks happen, one a second. */
  const looks = async (count: number): Promise<void> => {
    for (let look = 0; look < count; look++) {
      jest.advanceTimersByTime(SECOND);
      await setImmediate();
    }
  };
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

  it('replaces a connection two looks after the deadline of a call without an answer', async () => {
    sendUnanswered(onA);
    await looks(1);
    expect(replaced).toEqual([]);
    await looks(1);
    expect(replaced).toEqual(['a']);
  });

  it('waits as long as the deadline of the call allows', async () => {
    const { call, send } = command();
    void watch.send(onA, call, send);
    await looks(60);
    expect(replaced).toEqual([]);
    call.aborted = true;
    await looks(2);
    expect(replaced).toEqual(['a']);
  });

  it('keeps a connection on which a later command is answered', async () => {
    sendUnanswered(onA);
    for (let second = 0; second < 10; second++) {
      await looks(1);
      await sendAnswered(onA);
    }
    expect(replaced).toEqual([]);
  });

  it.each<[string, Error, string[]]>([
    ['an error of the server is', new Error('OOM command not allowed'), []],
    ['an error of the client is not', new Error('The command was aborted'), ['a']],
  ])('tells apart what an answer is: %s', async (_, error, expected) => {
    sendUnanswered(onA);
    await looks(1);
    await sendFailing(error);
    await looks(1);
    expect(replaced).toEqual(expected);
  });

  it('replaces a silent connection although another one answers', async () => {
    sendUnanswered(onA);
    await looks(1);
    await sendAnswered(onB);
    await looks(1);
    expect(replaced).toEqual(['a']);
  });

  it('leaves a replaced connection alone for five looks', async () => {
    const at: number[] = [];
    for (let second = 1; second <= 20; second++) {
      sendUnanswered(onA);
      await looks(1);
      while (at.length < replaced.length) at.push(second);
    }
    expect(at).toEqual([2, 9, 16]);
  });

  it('looks no more when nothing waits', async () => {
    const sent = sendUnanswered(onA);
    sent.answer();
    await sent.send();
    await looks(1);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: [] });
  });

  it('does not count a command that a replaced connection never answers against the next one', async () => {
    sendUnanswered(onA);
    await looks(60);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: ['a'] });
  });

  it('replaces a connection on which the client itself gave a command up', async () => {
    await sendFailing(new Error('Command timed out'));
    await looks(2);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: ['a'] });
  });

  it('keeps a connection that receives something after the client gave a command up', async () => {
    await sendFailing(new Error('Command timed out'));
    await looks(1);
    received += 5;
    await looks(60);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: [] });
  });

  it('keeps a connection on which another command is answered after the client gave one up', async () => {
    await sendFailing(new Error('Command timed out'));
    await looks(1);
    await sendAnswered(onA);
    await looks(60);
    expect({ timers: jest.getTimerCount(), replaced }).toEqual({ timers: 0, replaced: [] });
  });

  it('W22: keeps a connection that receives something between two looks, although calls pass their deadlines there', async () => {
    await sendFailing(new Error('Command timed out'));
    for (let second = 0; second < 10; second++) {
      await looks(1);
      received += 5;
      sendUnanswered(onA);
      await sendFailing(new Error('Command timed out'));
    }
    expect(replaced).toEqual([]);
  });

  it('W22: keeps a connection whose answer came while the event loop was blocked', async () => {
    jest.useRealTimers();
    const server = spawn(process.execPath, ['-e', LATE_SERVER]);
    const port = Number(String(await once(server.stdout, 'data')));
    const socket = connect(port, '127.0.0.1');
    const sent = sendUnanswered(onA);
    socket.on('data', () => sent.answer('late'));
    await pause(1.1 * SECOND);
    const blockedUntil = performance.now() + 2 * SECOND;
    while (performance.now() < blockedUntil);
    await pause(SECOND);
    socket.destroy();
    server.kill();
    expect({ reply: await sent.send(), replaced }).toEqual({ reply: 'late', replaced: [] });
  });

  it('goes on looking when a connection cannot be replaced or found', async () => {
    const tried: string[] = [];
    watch = new AnswerWatch(({ name }) => {
      tried.push(name);
      throw new Error('The client is closed');
    });
    sendUnanswered(() => {
      throw new Error('no such master');
    });
    sendUnanswered(onA);
    await looks(2);
    sendUnanswered(onB);
    await looks(2);
    expect(tried).toEqual(['a', 'b']);
  });

  it('hands out an answer although its connection cannot be found', async () => {
    sendUnanswered(onA);
    await looks(1);
    const lost = () => {
      throw new Error('no such master');
    };
    expect(await sendAnswered(lost)).toBe('OK');
  });

  it('replaces nothing after it was stopped, which takes until the last command has ended', async () => {
    const sent = sendUnanswered(onA);
    await looks(1);
    let isStopped = false;
    const stopping = watch.stop().then(() => (isStopped = true));
    await looks(60);
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
