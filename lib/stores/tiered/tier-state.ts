import type { SessionStore } from '../../core/session-store';
import { newToken, type SessionId } from '../../core/session-token';
import { StoreClient } from '../../core/store-client';
import { isDuplicate } from './fast-tier';
import { BACKGROUND_TIMEOUT } from './tiered.options';

/** The state of the fast tier that all processes share. */
export interface TierState {
  /** The only process that may use the fast tier; `null` when no process may. */
  readonly holder: string | null;
  /** Epoch milliseconds from which the state no longer applies. */
  readonly until: number;
  /** The version of its record. */
  readonly version: number;
}

/** A valid session id that no session has. */
export const TIER_STATE_ID = 'tiered-fast-out-of-use' as SessionId;

/** Far enough in the future that no sweep removes the record. */
const NEVER_EXPIRES = Date.UTC(9999, 0, 1);

/**
 * The record of the tier state: a record in the durable tier that is not a session. It does not exist until a process first writes it.
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
    // A value that a later release has written denies the fast tier.
    return {
      holder: holder === '' ? null : holder,
      until: Number.isNaN(instant) ? Infinity : instant,
      version: found.version,
    };
  }

  /**
   * Replaces the state that was read. `false` when another process has changed it.
   * @throws SessionStoreError; the state may have been written nevertheless
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
}
