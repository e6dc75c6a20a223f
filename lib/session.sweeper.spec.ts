import { SessionSweeper } from './session.sweeper';
import { StoreClient } from './core/store-client';
import { door } from '../test/support/watched-store';
import { MemorySessionStore } from './stores/memory/memory-session-store';

const MINUTE = 60_000;

/** A store with this many expired records, that counts its sweeps. */
function litteredStore(expired: number): MemorySessionStore & { sweeps: [now: number, limit: number][] } {
  const sweeps: [number, number][] = [];
  let left = expired;
  return Object.assign(new MemorySessionStore(), {
    sweeps,
    sweep: async (now: number, limit: number) => {
      sweeps.push([now, limit]);
      const removed = Math.min(left, limit);
      left -= removed;
      return removed;
    },
  });
}

describe('the sweeper', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());
  const events: unknown[] = [];
  const sweeperOf = (store: MemorySessionStore, every: number | null = MINUTE): SessionSweeper =>
    new SessionSweeper(store, new StoreClient(store, 1000, (event) => events.push(event)), () => 42, every);
  beforeEach(() => events.splice(0));

  it('E6: comes at its interval, give or take a tenth, with the instant of the injected clock', async () => {
    const store = litteredStore(0);
    sweeperOf(store).start();
    await jest.advanceTimersByTimeAsync(MINUTE - 1);
    expect(store.sweeps).toEqual([]);
    await jest.advanceTimersByTimeAsync(0.1 * MINUTE + 1);
    expect(store.sweeps).toEqual([[42, 200]]);
    await jest.advanceTimersByTimeAsync(1.1 * MINUTE);
    expect(store.sweeps).toHaveLength(2);
  });

  it('E6: takes bounded batches, one after the other while there is more', async () => {
    const store = litteredStore(500);
    sweeperOf(store).start();
    // Longer than the deadline of a call, which has a timer of its own.
    await jest.advanceTimersByTimeAsync(1.1 * MINUTE + 2000);
    expect(store.sweeps).toHaveLength(3);
    expect(jest.getTimerCount()).toBe(1);
  });

  it('E6: keeps no process alive', () => {
    const unref = jest.fn();
    const spy = jest.spyOn(global, 'setTimeout').mockReturnValue({ unref } as never);
    sweeperOf(litteredStore(0)).start();
    expect(unref).toHaveBeenCalledTimes(1);
    spy.mockRestore();
  });

  it('E6: goes on after a store that failed or hung', async () => {
    const store = litteredStore(0);
    const { sweep } = store;
    store.sweep = () => Promise.reject(new Error('down'));
    sweeperOf(store).start();
    await jest.advanceTimersByTimeAsync(1.1 * MINUTE);
    store.sweep = () => new Promise(() => {});
    await jest.advanceTimersByTimeAsync(1.1 * MINUTE + 1000);
    expect(events).toEqual([
      { type: 'storeFailed', id: null, reason: 'error' },
      { type: 'storeFailed', id: null, reason: 'timeout' },
    ]);
    store.sweep = sweep;
    await jest.advanceTimersByTimeAsync(1.1 * MINUTE);
    expect(store.sweeps).toHaveLength(1);
  });

  it('F6: stops when a batch under way has ended, and starts no other', async () => {
    const store = litteredStore(0);
    const swept = door();
    store.sweep = async () => {
      await swept.opened;
      return 200;
    };
    const sweeper = sweeperOf(store);
    sweeper.start();
    await jest.advanceTimersToNextTimerAsync();
    let stopped = false;
    const stopping = sweeper.stop().then(() => (stopped = true));
    await jest.advanceTimersByTimeAsync(10);
    expect(stopped).toBe(false);
    swept.open();
    await stopping;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves alone what is not to be swept', () => {
    sweeperOf(litteredStore(0), null).start();
    sweeperOf(Object.assign(new MemorySessionStore(), { sweep: undefined as never })).start();
    expect(jest.getTimerCount()).toBe(0);
  });
});
