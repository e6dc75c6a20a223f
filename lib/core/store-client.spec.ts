import type { SessionStore, StoreCall } from './session-store';
import { newSessionId } from './session-token';
import { SessionStoreError } from './session.errors';
import { StoreClient } from './store-client';

/** Asks a store that is asked for nothing but finding. */
function clientOf(find: (call: StoreCall) => Promise<null>): StoreClient {
  const store: Pick<SessionStore, 'find'> = { find: (_id, call) => find(call) };
  return new StoreClient(store as SessionStore, 1000, () => undefined);
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
afterEach(() => void jest.useRealTimers());

it('F1: a call that comes after the end is given up in time, too', async () => {
  const client = clientOf(() => new Promise(() => undefined));
  void client.find(newSessionId()).catch(() => undefined);
  const late = client.find(newSessionId());
  const failed = expect(late).rejects.toThrow(SessionStoreError);
  await jest.advanceTimersByTimeAsync(1000);
  await failed;
});

describe('the signal of a call', () => {
  it.each(['before', 'after'])(
    'F1: is aborted when the call took too long, asked for %s that',
    async (when) => {
      let call!: StoreCall;
      const client = clientOf((given) => {
        call = given;
        return new Promise(() => undefined);
      });
      const finding = client.find(newSessionId());
      const asked = when === 'before' ? call.signal : undefined;
      expect(call.aborted).toBe(false);
      const failed = expect(finding).rejects.toThrow(SessionStoreError);
      await jest.advanceTimersByTimeAsync(1000);
      await failed;
      expect({
        call: call.aborted,
        asked: (asked ?? call.signal).aborted,
        signal: call.signal.aborted,
      }).toEqual({
        call: true,
        asked: true,
        signal: true,
      });
    },
  );

  it.each(['before', 'after'])('is not when the call had its answer, asked for %s that', async (when) => {
    let call!: StoreCall;
    const client = clientOf(async (given) => {
      call = given;
      if (when === 'before') call.signal.throwIfAborted();
      return null;
    });
    await client.find(newSessionId());
    await jest.advanceTimersByTimeAsync(5000);
    expect({ call: call.aborted, signal: call.signal.aborted }).toEqual({ call: false, signal: false });
  });
});

it('F9, W23: an answer that takes several turns is waited for when the event loop was blocked beyond the deadline', async () => {
  jest.useRealTimers();
  const client = clientOf(async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    return null;
  });
  const finding = client.find(newSessionId());
  await Promise.resolve();
  blockFor(2000);
  await expect(finding).resolves.toBeNull();
});

it('F1, W23: a call without an answer ends although the event loop was blocked', async () => {
  jest.useRealTimers();
  const finding = clientOf(() => new Promise(() => undefined)).find(newSessionId());
  const failed = expect(finding).rejects.toThrow(SessionStoreError);
  await Promise.resolve();
  blockFor(1500);
  await failed;
});

function blockFor(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}
