import { EndChannel, type EndServer } from './end-channel';
import { newSessionId } from './session-token';

const SECOND = 1000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

/** A server in this process, as bad as a test likes. */
class ScriptedServer implements EndServer {
  readonly #connections = new Set<{ receive: (message: string) => void; lost: () => void }>();
  opened = 0;
  refuses = false;
  /** Whether messages arrive nowhere. */
  swallows = false;

  async connect(receive: (message: string) => void, lost: () => void, over: AbortSignal) {
    if (this.refuses) throw new Error('refused');
    this.opened++;
    const connection = { receive, lost };
    this.#connections.add(connection);
    over.addEventListener('abort', () => this.#connections.delete(connection));
  }

  async send(message: string): Promise<void> {
    if (!this.swallows) for (const { receive } of this.#connections) receive(message);
  }

  get open(): number {
    return this.#connections.size;
  }

  cut(): void {
    for (const { lost } of this.#connections) lost();
  }
}

function listening(server: EndServer) {
  const channel = new EndChannel(server);
  const heard: (string | null)[] = [];
  const subscription = channel.watch((id) => heard.push(id));
  return { channel, heard, subscription };
}

it('tells of each id of a message, once it has heard itself', async () => {
  const server = new ScriptedServer();
  const { heard, subscription, channel } = listening(server);
  const before = subscription.isActive;
  await pass(1);
  const [ada, bob] = [newSessionId(), newSessionId()];
  await server.send(`${ada},${bob}`);
  expect({ before, isActive: subscription.isActive, heard }).toEqual({
    before: false,
    isActive: true,
    heard: [null, ada, bob],
  });
  channel.close();
});

it('has one connection for all listeners, and none after the last', async () => {
  const server = new ScriptedServer();
  const { channel, subscription } = listening(server);
  const other = channel.watch(() => {});
  await pass(1);
  const both = { open: server.open, opened: server.opened };
  subscription.close();
  await pass(1);
  const one = server.open;
  other.close();
  await pass(10 * SECOND);
  expect({ both, one, none: server.open, timers: jest.getTimerCount() }).toEqual({
    both: { open: 1, opened: 1 },
    one: 1,
    none: 0,
    timers: 0,
  });
});

it('is inactive from the moment a connection breaks, and says that hints may be lost when it has another', async () => {
  const server = new ScriptedServer();
  const { channel, heard, subscription } = listening(server);
  await pass(1);
  server.refuses = true;
  server.cut();
  const cut = subscription.isActive;
  await pass(10 * SECOND);
  const refused = subscription.isActive;
  server.refuses = false;
  await pass(10 * SECOND);
  const { isActive } = subscription;
  expect({ cut, refused, isActive, heard }).toEqual({
    cut: false,
    refused: false,
    isActive: true,
    heard: [null, null],
  });
  channel.close();
});

it('notices within eight seconds that nothing arrives any more, and connects again', async () => {
  const server = new ScriptedServer();
  const { channel, heard, subscription } = listening(server);
  await pass(1);
  server.swallows = true;
  await pass(8 * SECOND);
  const silent = subscription.isActive;
  server.swallows = false;
  await pass(10 * SECOND);
  expect({ silent, again: subscription.isActive, heard, open: server.open }).toEqual({
    silent: false,
    again: true,
    heard: [null, null],
    open: 1,
  });
  channel.close();
});

it('stays inactive where messages are forbidden', async () => {
  const server = new ScriptedServer();
  server.send = () => Promise.reject(new Error('NOPERM'));
  const { channel, heard, subscription } = listening(server);
  await pass(60 * SECOND);
  expect({ isActive: subscription.isActive, heard, hasFew: server.opened < 30 }).toEqual({
    isActive: false,
    heard: [],
    hasFew: true,
  });
  channel.close();
});

it('gives up an attempt to connect that takes too long, or that is not needed any more', async () => {
  const server = new ScriptedServer();
  const attempts: AbortSignal[] = [];
  server.connect = (_receive, _lost, over) => {
    attempts.push(over);
    return new Promise(() => {});
  };
  const { channel } = listening(server);
  await pass(6 * SECOND);
  const late = attempts.map(({ aborted }) => aborted);
  channel.close();
  await pass(1);
  expect({ late, closed: attempts.map(({ aborted }) => aborted) }).toEqual({
    late: [true, false],
    closed: [true, true],
  });
});

it('keeps no memory of its tests, however long a connection lasts', async () => {
  const races = jest.spyOn(Promise, 'race');
  const { channel } = listening(new ScriptedServer());
  await pass(3600 * SECOND);
  channel.close();
  const times = new Map<unknown, number>();
  for (const [raced] of races.mock.calls)
    for (const promise of raced) times.set(promise, (times.get(promise) ?? 0) + 1);
  races.mockRestore();
  // A promise that is pending keeps a reaction for each race in which it was.
  expect(Math.max(...times.values())).toBe(1);
});
