import type { KeyObject } from 'node:crypto';
import type { CommitOutcome } from '../../core/commit-outcome';
import type { SessionDraft } from '../../core/session-draft';
import type { SessionKeeper, SessionKeeperOptions } from '../../core/session-keeper';
import type { SessionStore } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import { SessionWriter } from '../../core/session-writer';
import { SessionError } from '../../core/session.errors';
import { KeyRing } from './key-ring';
import { noRevocations } from './no-revocations';
import { RevocationList } from './revocation-list';
import type { Revocations } from './revocations';
import { SealedLoader } from './sealed-loader';
import { SealedShelf } from './sealed-shelf';
import { SealedValues } from './sealed-values';

/** How values are made, and where revocations are noted. */
export interface SealingPlan {
  readonly keys: readonly KeyObject[];
  readonly readable: boolean;
  /** `null` to go without. */
  readonly revocations: SessionStore | null;
}

/** Keeps one instance's sessions in what their clients send. */
export class SealedKeeper implements SessionKeeper {
  readonly #values: SealedValues;
  readonly #revocations: Revocations;
  readonly #loader: SealedLoader;
  readonly #writer: SessionWriter;

  constructor(
    { keys, readable, revocations }: SealingPlan,
    private readonly options: SessionKeeperOptions,
    private readonly onClose: (keeper: SealedKeeper) => void,
  ) {
    const { name, carrier, timeouts, rememberedTimeouts } = options;
    if (carrier === undefined)
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        'SealedSessions has to know what carries its values.',
      );
    const longest = Math.max(timeouts.lifetime, rememberedTimeouts.lifetime);
    const ring = new KeyRing(keys, { instance: name, channel: carrier.channel, readable });
    this.#values = new SealedValues(ring, carrier.capacity, longest);
    this.#revocations =
      revocations === null ? noRevocations : new RevocationList(revocations, options, longest);
    this.#loader = new SealedLoader(this.#values, this.#revocations, options);
    const shelf = new SealedShelf(this.#values, this.#revocations, options);
    this.#writer = new SessionWriter(shelf, options);
  }

  isToken(value: string): boolean {
    return this.#values.hasForm(value);
  }

  load(draft: SessionDraft, value: string): Promise<void> {
    return this.#loader.load(draft, value);
  }

  settled(draft: SessionDraft): CommitOutcome | null {
    return this.#writer.settled(draft);
  }

  write(draft: SessionDraft): Promise<CommitOutcome> {
    return this.#writer.write(draft);
  }

  async revoke(id: SessionId): Promise<void> {
    await this.#revocations.end(id);
    this.options.emit({ type: 'destroyed', id, reason: 'revoked' });
  }

  async revokeAll(principal: string): Promise<void> {
    await this.#revocations.endAll(principal);
    this.options.emit({ type: 'destroyed', principal, reason: 'revoked' });
  }

  close(): void {
    this.#revocations.close();
    this.onClose(this);
  }
}
