import { setTimeout as pause } from 'node:timers/promises';
import { describeWithCluster } from '../../../test/support/servers';
import { ClusterProcess, PROCESSES } from './cluster-process';

const PASSWORD = 'correct horse battery staple';
/** Within a second is the promise; the rest is for a busy machine. In milliseconds. */
const PATIENCE = 2_000;
/** How long an answer may take. In milliseconds. */
const ANSWER = 5_000;
/** How long a request is repeated until another process answers, which may have to start first. In milliseconds. */
const LONGEST = 20_000;

interface Me {
  readonly name: string;
  readonly visits: number;
  readonly process: number;
}

describeWithCluster('several processes over a Redis Cluster', (redis) => {
  let processes: ClusterProcess;

  beforeAll(async () => {
    processes = await ClusterProcess.start(redis().urls);
  }, 60_000);

  afterAll(() => processes?.stop());

  /** Each request has a connection of its own, for which the cluster chooses a process. */
  const send = (method: string, path: string, headers: Record<string, string> = {}, body?: object) =>
    fetch(processes.url + path, {
      method,
      signal: AbortSignal.timeout(ANSWER),
      headers: {
        connection: 'close',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
  const logIn = async (name: string) => {
    const response = await send('POST', '/login', {}, { name, password: PASSWORD });
    const cookie = response.headers.getSetCookie()[0]!.split(';')[0]!;
    const { process } = (await response.json()) as Me;
    return { headers: { cookie }, process };
  };
  const me = async (headers: Record<string, string>): Promise<Me> =>
    (await (await send('GET', '/me', headers)).json()) as Me;
  /** Repeats until something holds, and fails when it does not come to that. */
  const until = async <T>(work: () => Promise<T>, holds: (result: T) => boolean): Promise<T> => {
    const deadline = performance.now() + LONGEST;
    while (performance.now() < deadline) {
      const result = await work();
      if (holds(result)) return result;
      await pause(20);
    }
    throw new Error(`It does not hold within ${LONGEST} ms.`);
  };

  it('read the login that another one has stored', async () => {
    const { headers, process } = await logIn('ada');
    const other = await until(
      () => me(headers),
      (answer) => answer.process !== process,
    );
    expect(other).toMatchObject({ name: 'ada' });
  });

  it('lose no update of those that they make at the same time', async () => {
    const { headers } = await logIn('ada');
    const answers = await Promise.all(Array.from({ length: 30 }, () => me(headers)));
    expect({
      processes: new Set(answers.map((answer) => answer.process)).size,
      next: (await me(headers)).visits,
    }).toEqual({ processes: PROCESSES, next: 31 });
  });

  it('close the streams of a user within a second when another one ends the login, and refuse the next request', async () => {
    const { headers } = await logIn('ada');
    const bert = await logIn('bert');
    const streams = new Map<number, Stream>();
    await until(
      async () => {
        const stream = await Stream.open(`${processes.url}/live`, headers);
        if (streams.has(stream.process)) await stream.cancel();
        else streams.set(stream.process, stream);
      },
      () => streams.size === PROCESSES,
    );
    const spared = await Stream.open(`${processes.url}/live`, bert.headers);
    const ended = Promise.all([...streams.values()].map((stream) => stream.end()));
    const { status } = await send('DELETE', '/sessions', headers);
    const inTime = await Promise.race([ended.then(() => true), pause(PATIENCE, false)]);
    const refused = await Promise.all(Array.from({ length: 10 }, () => send('GET', '/me', headers)));
    expect({
      status,
      inTime,
      refused: new Set(refused.map((answer) => answer.status)),
      bert: (await send('GET', '/me', bert.headers)).status,
    }).toEqual({ status: 204, inTime: true, refused: new Set([401]), bert: 200 });
    await spared.cancel();
  });

  it('keep the login when one of them is killed, and start another one', async () => {
    const { headers, process: first } = await logIn('ada');
    process.kill(first, 'SIGKILL');
    await until(
      async () => isRunning(first),
      (running) => !running,
    );
    const seen = new Set<number>();
    await until(
      async () => {
        // A connection that was on its way to the killed one is broken off, or never answered.
        const answer = await me(headers).catch(() => null);
        if (answer !== null && answer.process !== first) seen.add(answer.process);
      },
      () => seen.size === PROCESSES,
    );
    expect(await me(headers)).toMatchObject({ name: 'ada' });
  }, 60_000);

  it('end with the one that started them', async () => {
    const { headers } = await logIn('ada');
    const stream = await Stream.open(`${processes.url}/live`, headers);
    const [code] = await Promise.all([processes.stop(), stream.end()]);
    expect({ code, running: isRunning(stream.process) }).toEqual({ code: 0, running: false });
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Server-sent events, of which the first tells the process. */
class Stream {
  private constructor(
    readonly process: number,
    private readonly reader: ReadableStreamDefaultReader<string>,
  ) {}

  static async open(url: string, headers: Record<string, string>): Promise<Stream> {
    const { body } = await fetch(url, { headers: { connection: 'close', ...headers } });
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!/data: \d+\n/.test(text)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`The stream ended after "${text}"`);
      text += value;
    }
    return new Stream(Number(/data: (\d+)/.exec(text)![1]), reader);
  }

  /** Resolves when the server has ended the stream. */
  async end(): Promise<void> {
    for (;;) if ((await this.reader.read()).done) return;
  }

  cancel(): Promise<void> {
    return this.reader.cancel();
  }
}
