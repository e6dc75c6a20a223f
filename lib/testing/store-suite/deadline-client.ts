import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { SessionStore } from '../../core/session-store';
import { newSessionId } from '../../core/session-token';
import { SessionStoreError } from '../../core/session.errors';
import { StoreClient } from '../../core/store-client';
import { MINUTE, START, assertRecord } from './records';
import { observeCalls } from './observe-calls';
import { RECOVERY_TIMEOUT } from './store-faults';
import { stampedRecord } from './write-history';

/** A store with a deadline, as requests use it. Tracks calls that timed out and have not ended yet. */
export class DeadlineClient extends StoreClient {
  readonly #underWay: Set<unknown>;

  constructor(
    store: SessionStore,
    deadline: number,
    private readonly recoveryTimeout: number,
  ) {
    const underWay = new Set<unknown>();
    const watched = observeCalls(store, (_, answer) => {
      underWay.add(answer);
      const end = (): boolean => underWay.delete(answer);
      Promise.resolve(answer).then(end, end);
    });
    super(watched, deadline, () => {});
    this.#underWay = underWay;
  }

  /** Resolves when every call has ended, including those that timed out, so that their writes are done. */
  async settled(): Promise<void> {
    await until(() => this.#underWay.size === 0, 'the calls that timed out end', this.recoveryTimeout);
  }

  /** Resolves when all five calls have succeeded five times in a row. */
  async recovered(): Promise<void> {
    let rounds = 0;
    await until(
      async () => {
        rounds = (await this.#works()) ? rounds + 1 : 0;
        return rounds === 5;
      },
      'the store answers again',
      this.recoveryTimeout,
    );
  }

  async #works(): Promise<boolean> {
    const record = stampedRecord(newSessionId(), 1);
    const next = stampedRecord(record.id, 2);
    try {
      await this.insert(record);
      assert.equal(await this.update(next, 1), true);
      assert.equal(await this.extend(record.id, 2, START + 90 * MINUTE), true);
      assertRecord(await this.find(record.id), { ...next, expiresAt: START + 90 * MINUTE });
      await this.delete(record.id);
      assert.equal(await this.find(record.id), null);
      return true;
    } catch (error) {
      if (!(error instanceof SessionStoreError)) throw error;
      return false;
    }
  }
}

/** Waits for a condition. @param timeout in milliseconds @throws AssertionError when the condition is not met in time */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeout = RECOVERY_TIMEOUT,
): Promise<void> {
  const deadline = performance.now() + timeout;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `${timeout} ms passed without: ${what}`);
    await pause(10);
  }
}

/** Repeats a call until its server is back, and resolves with the answer. */
export async function eventually<T>(call: () => Promise<T>): Promise<T> {
  let answer: T;
  await until(async () => {
    try {
      answer = await call();
      return true;
    } catch (error) {
      if (!(error instanceof SessionStoreError)) throw error;
      return false;
    }
  }, 'a call succeeds');
  return answer!;
}
