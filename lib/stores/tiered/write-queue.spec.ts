import { aRecord, nextOf } from '../../testing/store-suite/records';
import { MemorySessionStore } from '../memory/memory-session-store';
import { resolveTiers } from './tiered.options';
import { WriteQueue } from './write-queue';

describe('WriteQueue', () => {
  const [record, other] = [aRecord(), aRecord()];
  const second = nextOf(record, { body: '{"n":2}' });
  const third = nextOf(second, { body: '{"n":3}' });
  const create = async () => {
    const durable = new MemorySessionStore();
    await durable.insert(record);
    const rejected: number[] = [];
    const options = resolveTiers({ fast: new MemorySessionStore(), durable, flushEvery: 10_000 });
    const queue = new WriteQueue(options, async ({ version }) => rejected.push(version));
    const file = (next: typeof record, base: number) => {
      queue.reservePlace(next.id);
      queue.enqueue(next, base);
    };
    return { durable, queue, rejected, file };
  };

  it('writes a record, and says so', async () => {
    const { durable, queue, file } = await create();
    file(second, 1);
    expect(await queue.flush(record.id)).toBe(true);
    expect({ durable: await durable.find(record.id), waiting: queue.size }).toEqual({
      durable: second,
      waiting: 0,
    });
  });

  it('takes what was overtaken on the same line for written', async () => {
    const { durable, queue, file, rejected } = await create();
    await durable.update(third, 1);
    file(second, 1);
    expect(await queue.flush(record.id)).toBe(true);
    expect({ durable: await durable.find(record.id), rejected }).toEqual({ durable: third, rejected: [] });
  });

  it('R9: takes what was renewed or ended for refused', async () => {
    const { durable, queue, file, rejected } = await create();
    await durable.update({ ...second, secretHash: other.secretHash }, 1);
    file(third, 1);
    expect(await queue.flush(record.id)).toBe(false);
    await durable.delete(record.id);
    file(third, 2);
    expect(await queue.flush(record.id)).toBe(false);
    expect({ durable: await durable.find(record.id), rejected, waiting: queue.size }).toEqual({
      durable: null,
      rejected: [3, 3],
      waiting: 0,
    });
  });

  it('keeps the newest record of a line, and the last of all lines', async () => {
    const { queue, file } = await create();
    file(third, 1);
    file(second, 1);
    expect(queue.get(record.id)).toEqual(third);
    const renewed = { ...second, secretHash: other.secretHash };
    file(renewed, 1);
    expect(queue.get(record.id)).toEqual(renewed);
    await queue.close(1);
  });

  it('goes on to wait with what came while it was writing', async () => {
    const { durable, queue, file } = await create();
    file(second, 1);
    const writing = queue.flush(record.id);
    file(third, 2);
    await writing;
    expect(queue.get(record.id)).toEqual(third);
    expect(await queue.close(1000)).toBe(0);
    expect(await durable.find(record.id)).toEqual(third);
  });

  it.each([
    { title: 'was never closed', reopen: () => {} },
    {
      title: 'was closed and opened while it was writing',
      reopen: (queue: WriteQueue) => {
        void queue.close(0);
        queue.open();
      },
    },
  ])('retries once every 30 seconds when it $title', async ({ reopen }) => {
    jest.useFakeTimers();
    try {
      jest.spyOn(Math, 'random').mockReturnValue(1);
      const { durable, queue, file } = await create();
      let fail = (): void => {};
      const update = jest
        .spyOn(durable, 'update')
        .mockImplementationOnce(() => new Promise((_, reject) => (fail = () => reject(new Error('down')))))
        .mockRejectedValue(new Error('down'));
      file(second, 1);
      await jest.advanceTimersByTimeAsync(10_000);
      reopen(queue);
      file(third, 2);
      fail();
      await jest.advanceTimersByTimeAsync(100_000);
      update.mockClear();
      await jest.advanceTimersByTimeAsync(300_000);
      expect(update).toHaveBeenCalledTimes(10);
    } finally {
      jest.useRealTimers();
      jest.restoreAllMocks();
    }
  });

  it('takes nothing after its end', async () => {
    const { queue } = await create();
    await queue.close(1);
    expect(queue.reservePlace(record.id)).toBe(false);
  });
});
