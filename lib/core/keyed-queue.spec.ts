import { KeyedQueue } from './keyed-queue';

/** More keys than are kept once they are at rest. */
const MANY = 3000;

it('lets a commit wait for the one before, however many other sessions were written meanwhile', async () => {
  const queue = new KeyedQueue(60_000);
  const order: string[] = [];
  let finish!: () => void;
  const first = queue.run('ada', () => new Promise<void>((resolve) => (finish = resolve)));
  for (let n = 0; n < MANY; n++) await queue.run(`session ${n}`, () => Promise.resolve());
  const second = queue.run('ada', async () => void order.push('second'));
  order.push('first');
  finish();
  await Promise.all([first, second]);
  expect(order).toEqual(['first', 'second']);
});
