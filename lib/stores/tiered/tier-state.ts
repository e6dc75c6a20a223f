import type { SessionStore } from '../../core/session-store';
import { newToken, type SessionId } from '../../core/session-token';
import { StoreClient } from '../../core/store-client';
import { isDuplicate } from './fast-tier';
import { BACKGROUND_TIMEOUT } from './tiered.options';

/** What the processes tell each other of the fast tier. */
export interface TierState {
  /** Who alone may use the fast tier; `null` for nobody. */
  readonly holder: string | null;
  /** Epoch milliseconds from which it says nothing any more. */
  readonly until: number;
  /** Of the record it stands in. */
  readonly version: number;
}

/** Has the form of a session's id and belongs to none. */
export const TIER_STATE_ID = 'tiered-fast-out-of-use' as SessionId;

/** So far away that nobody sweeps it, whatever the clocks say. */
const NEVER_EXPIRES = Date.UTC(9999, 0, 1);

/**
 * A record in the durable tier that is no session: the one place that every process reads and writes alike. It does not exist until
 * there is something to say.
 */
export class TierStateRecord {
  readonly #client: StoreClient;

  constructor(durable: SessionStore) {
    this.#client = new StoreClient(durable, BACKGROUND_TIMEOUT, () => {});
  }

  /** @throws SessionStoreError */
  async read(): Promise<TierState | null> {
    const found = await this.#client.find(TIER_STATE_ID);
    if (found === null) return null;
    const [until, holder = ''] = found.body.split(' ');
    const instant = Number(until);
    // What a later release may have written is respected.
    return {
      holder: holder === '' ? null : holder,
      until: Number.isNaN(instant) ? Infinity : instant,
      version: found.version,
    };
  }

  /**
   * Replaces what was read. `false` when somebody else was faster.
   * @throws SessionStoreError; it may have been written all the same
   */
  async write(
    seen: TierState | null,
    { holder, until }: Pick<TierState, 'holder' | 'until'>,
  ): Promise<boolean> {
    const version = (seen?.version ?? 0) + 1;
    const { secretHash } = newToken(TIER_STATE_ID, 'tiered');
    const body = `${until} ${holder ?? ''}`;
    const record = {
      id: TIER_STATE_ID,
      version,
      secretHash,
      principal: null,
      expiresAt: NEVER_EXPIRES,
      body,
    };
    if (seen !== null) return this.#client.update(record, seen.version);
    try {
      await this.#client.insert(record);
      return true;
    } catch (error) {
      if (isDuplicate((error as Error).cause)) return false;
      throw error;
    }
  }

  close(): void {
    this.#client.close();
  }
}
