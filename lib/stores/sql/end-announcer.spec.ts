import { newSessionId } from '../../core/session-token';
import { EndAnnouncer } from './end-announcer';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);
const idsOf = (messages: readonly string[]) => messages.flatMap((message) => message.split(','));

it('announces the ends of 20 milliseconds together, each once', async () => {
  const sent: string[] = [];
  const announcer = new EndAnnouncer(async (message) => void sent.push(message));
  const [first, second, third] = [newSessionId(), newSessionId(), newSessionId()];
  announcer.announce(first);
  await pass(10);
  for (const id of [second, first]) announcer.announce(id);
  const before = [...sent];
  await pass(10);
  announcer.announce(third);
  await pass(20);
  expect({ before, sent }).toEqual({ before: [], sent: [`${first},${second}`, third] });
});

it('keeps each message below the 8000 bytes that PostgreSQL allows', async () => {
  const sent: string[] = [];
  const announcer = new EndAnnouncer(async (message) => void sent.push(message));
  const ids = Array.from({ length: 1000 }, newSessionId);
  for (const id of ids) announcer.announce(id);
  await pass(20);
  expect({ all: idsOf(sent), areShort: sent.every(({ length }) => length < 8000) }).toEqual({
    all: ids,
    areShort: true,
  });
});

it('tries again what could not be sent, together with what came since', async () => {
  const sent: string[] = [];
  let isDown = true;
  const announcer = new EndAnnouncer(async (message) => {
    if (isDown) throw new Error('down');
    sent.push(message);
  });
  const [first, second] = [newSessionId(), newSessionId()];
  announcer.announce(first);
  await pass(100);
  announcer.announce(second);
  isDown = false;
  await pass(1000);
  expect(idsOf(sent)).toEqual([first, second]);
});

it('sends one message at a time', async () => {
  const answers: (() => void)[] = [];
  const announcer = new EndAnnouncer(() => new Promise<void>((resolve) => answers.push(resolve)));
  announcer.announce(newSessionId());
  await pass(20);
  announcer.announce(newSessionId());
  await pass(100);
  const meanwhile = answers.length;
  answers[0]!();
  await pass(20);
  expect({ meanwhile, afterwards: answers.length }).toEqual({ meanwhile: 1, afterwards: 2 });
});

it('announces what waits when it is closed, and has no timer then', async () => {
  const sent: string[] = [];
  const announcer = new EndAnnouncer(async (message) => void sent.push(message));
  const id = newSessionId();
  announcer.announce(id);
  await announcer.close();
  expect({ sent, timers: jest.getTimerCount() }).toEqual({ sent: [id], timers: 0 });
});
