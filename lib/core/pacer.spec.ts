import { pacer, pauseAfter } from './pacer';

describe('a paced walk', () => {
  it('rests twice as long as it worked, and never less than it is told', () => {
    expect(pauseAfter(30)).toBe(60);
    expect(pauseAfter(0)).toBe(1);
    expect(pauseAfter(3, 10)).toBe(10);
  });

  it('begins at once, and hands out what the work gave', async () => {
    const paced = pacer(new AbortController().signal);
    expect(await paced(async () => [1, 2])).toEqual([1, 2]);
    expect(await paced(async () => [3])).toEqual([3]);
  });

  it('does no more work once the call is given up', async () => {
    const controller = new AbortController();
    const paced = pacer(controller.signal);
    await paced(async () => {});
    controller.abort();
    const work = jest.fn();
    await expect(paced(work)).rejects.toMatchObject({ name: 'AbortError' });
    expect(work).not.toHaveBeenCalled();
  });
});
