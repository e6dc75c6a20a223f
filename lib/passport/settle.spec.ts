import { settle } from './settle';

describe('a callback', () => {
  const called = async (work: Promise<unknown>, thrown?: Error): Promise<unknown[][]> => {
    const calls: unknown[][] = [];
    await new Promise<void>((resolve) => {
      settle(work, (...call) => {
        calls.push(call);
        if (thrown !== undefined && calls.length === 1) throw thrown;
        resolve();
      });
    });
    return calls;
  };
  const error = new Error('down');

  it.each<[string, Promise<unknown>, unknown[]]>([
    ['the result', Promise.resolve(1), [null, 1]],
    ['the error', Promise.reject(error), [error]],
  ])('is given %s', async (_what, work, expected) => {
    expect(await called(work)).toEqual([expected]);
  });

  it('is given what it throws itself, which would end the process', async () => {
    expect(await called(Promise.resolve(1), error)).toEqual([[null, 1], [error]]);
  });
});
