import type { SessionRecord } from '../../core/session-record';
import { aRecord, nextOf } from '../../testing/store-suite/records';
import { call } from '../../testing/store-suite/store-suite';
import { MemorySessionStore } from '../memory/memory-session-store';
import { removeByPrincipal } from './remove-by-principal';

/** Changes each session after it was found. */
class RestlessStore extends MemorySessionStore {
  override async findByPrincipal(principal: string): Promise<SessionRecord[]> {
    const found = await super.findByPrincipal(principal);
    for (const record of found) await super.update(nextOf(record), record.version);
    return found;
  }
}

it('L8: does not say that all sessions of a principal are removed while one is left', async () => {
  const durable = new RestlessStore();
  await durable.insert(aRecord({ principal: 'default:ada' }));
  await expect(removeByPrincipal(durable, durable, 'default:ada', call)).rejects.toMatchObject({
    code: 'SESSION_CONFLICT',
  });
});
