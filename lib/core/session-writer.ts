import { principalKey } from './principal';
import { FORGET, KEEP, type CommitOutcome } from './commit-outcome';
import type { SessionDraft } from './session-draft';
import type { SessionKeeperOptions } from './session-keeper';
import { SessionMerger } from './session-merger';
import { nothing, tooManyConflicts, type SessionShelf } from './session-shelf';

/** Each failed attempt to end a merged session means that somebody wrote to it; so many in a row mean that something is wrong. */
const MAX_ATTEMPTS = 10;

/** Brings a draft to its shelf: the order of a commit, whatever sessions are kept in. */
export class SessionWriter {
  readonly #merger: SessionMerger;
  /** What clients were to be told when something after that failed. */
  readonly #untold = new WeakMap<SessionDraft, CommitOutcome>();

  constructor(
    private readonly shelf: SessionShelf,
    private readonly options: SessionKeeperOptions,
  ) {
    this.#merger = new SessionMerger(shelf, options);
  }

  /** The decision for a draft with nothing to write, else `null`. */
  settled(draft: SessionDraft): CommitOutcome | null {
    const { ended, absorbed } = draft;
    if (ended.length > 0) return null;
    if (draft.superseded) return KEEP;
    if (absorbed.length > 0 || draft.status === 'changed' || this.shelf.isDue(draft)) return null;
    return nothing(draft);
  }

  async write(draft: SessionDraft): Promise<CommitOutcome> {
    if (draft.ended.length > 0) await this.#removeEnded(draft);
    const decision = laterOf(this.#untold.get(draft) ?? KEEP, await this.#decide(draft));
    if (decision.kind !== 'keep') this.#untold.set(draft, decision);
    const { ended, absorbed, merging } = draft;
    const isAlone = ended.length + absorbed.length + merging.length === 0;
    const last = isAlone ? decision : await this.#endOthers(draft, decision);
    if (last.kind !== 'keep') this.#untold.delete(draft);
    this.#publish(draft);
    return draft.base === null && last.kind === 'issue' ? nothing(draft) : last;
  }

  /** The sessions that this one has taken the place of, or the data. */
  async #endOthers(draft: SessionDraft, decision: CommitOutcome): Promise<CommitOutcome> {
    let last = decision;
    for (let attempt = 1; !(await this.#merger.endAbsorbed(draft)); attempt++) {
      if (attempt === MAX_ATTEMPTS) throw tooManyConflicts(MAX_ATTEMPTS);
      last = laterOf(last, await this.#decide(draft));
      if (last.kind !== 'keep') this.#untold.set(draft, last);
    }
    // Whatever was ended while the store was at work.
    await this.#removeEnded(draft);
    return last;
  }

  #decide(draft: SessionDraft): Promise<CommitOutcome> | CommitOutcome {
    switch (draft.status) {
      case 'unchanged':
        return this.shelf.isDue(draft) ? this.shelf.extend(draft) : nothing(draft);
      case 'changed':
        return draft.merging.length > 0 ? this.#merge(draft) : this.#put(draft);
      case 'destroyed':
        return FORGET;
    }
  }

  async #merge(draft: SessionDraft): Promise<CommitOutcome> {
    await this.#merger.bringIn(draft);
    // What was to be brought in may have been nothing.
    return draft.status === 'changed' ? this.#put(draft) : nothing(draft);
  }

  #put(draft: SessionDraft): Promise<CommitOutcome> {
    return draft.base === null ? this.shelf.insert(draft) : this.shelf.update(draft);
  }

  /** What fails is still there for the next attempt. */
  async #removeEnded({ ended }: SessionDraft): Promise<void> {
    for (let id = ended[0]; id !== undefined; id = ended[0]) {
      await this.shelf.end(id);
      ended.shift();
    }
  }

  #publish(draft: SessionDraft): void {
    for (const { type, id, principal, reason } of draft.announcements.splice(0)) {
      this.options.emit({
        type,
        id: id ?? draft.id,
        principal: principal && principalKey(principal),
        reason,
      });
    }
  }
}

/** That there is nothing more to tell takes nothing back. */
function laterOf(before: CommitOutcome, after: CommitOutcome): CommitOutcome {
  return after.kind === 'keep' ? before : after;
}
