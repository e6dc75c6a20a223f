import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Session } from '../../core/session';
import type { SessionManager } from '../../core/session-manager';
import { SessionError } from '../../core/session.errors';
import type { FaultySuite } from './faulty-suite';
import { eventually } from './deadline-client';
import { untyped, presentClock, sessionsOver } from './sessions-over';
import type { Disturbance } from './store-faults';
import { SLOW_TEST_TIMEOUT } from './store-suite';

const ROUNDS = 10;

/** Breaks the connections while a session is being written, a little later each time. */
export function describeLostAnswers(suite: FaultySuite, refusing: Disturbance): void {
  suite.it(
    'F3: a commit whose answer was lost is made good by the next, and never done twice',
    async () => {
      const { manager } = sessionsOver(suite.store, presentClock(), suite.deadline);
      const { issued } = sessionsOver(suite.store);
      const token = await issued(null, (session) => untyped(session).set('count', 0));
      const countOf = (session: Session): number => untyped(session).get('count') as number;

      for (let round = 0; round < ROUNDS; round++) {
        const session = await eventually(() => manager.open(token));
        const before = countOf(session);
        untyped(session).update('count', (count) => (count as number) + 1);
        const committing = Promise.allSettled([manager.commit(session)]);
        await pause(round / 2);
        await suite.begin(refusing);
        await suite.heal();
        await committing;
        const made = await eventually(() => commitAgain(manager, session));
        const after = countOf(await eventually(() => manager.open(token)));
        const allowed = made ? [before + 1] : [before, before + 1];
        assert.ok(allowed.includes(after), `the change was made ${after - before} times`);
      }
    },
    SLOW_TEST_TIMEOUT,
  );
}

/** `true` when the commit reports success, `false` when it reports that the outcome is unknown. */
async function commitAgain(manager: SessionManager, session: Session): Promise<boolean> {
  try {
    await manager.commit(session);
    return true;
  } catch (error) {
    if (error instanceof SessionError && error.code === 'SESSION_CONFLICT') return false;
    throw error;
  }
}
