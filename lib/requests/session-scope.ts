import { setImmediate as turn } from 'node:timers/promises';
import type { SessionWatcher } from '../core/session-draft';
import { SessionHandle, type UnitOfWork } from './session-handle';
import type { SessionInstances } from './session-instance';

/** The sessions of one unit of work: a handle for each instance that is touched. What the async context carries. */
export class SessionScope implements SessionWatcher {
  readonly handles: SessionHandle[] = [];
  /** The scope of the same request in the application that this one is inside of. */
  outer: SessionScope | undefined;
  #isSaving = false;

  constructor(
    readonly instances: SessionInstances,
    readonly unit: UnitOfWork,
  ) {}

  /**
   * The handle of one instance.
   * @throws SessionError `SESSION_MODULE_MISSING`
   */
  handle(name: string): SessionHandle {
    const existing = this.handles.find(({ instance }) => instance.name === name);
    if (existing !== undefined) return existing;
    const handle = new SessionHandle(this.instances.get(name), this.unit, this);
    this.handles.push(handle);
    if (this.handles.length === 1) this.unit.begin();
    if (this.unit.hasBegun) handle.seal(true);
    return handle;
  }

  /** Settles whatever needs no store, and says whether that was all. */
  settle(): boolean {
    let settled = true;
    for (const handle of this.handles) settled = handle.settle() && settled;
    return settled;
  }

  /** Commits every session, also when another's commit fails. */
  commit(): Promise<void> {
    return this.handles.length === 1 ? this.handles[0]!.commit() : this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    const outcomes = await Promise.allSettled(this.handles.map((handle) => handle.commit()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** @param sealed whether the answer has begun; `false` when it was refused before it began */
  seal(sealed = true): void {
    for (const handle of this.handles) handle.seal(sealed);
  }

  /** The answer is over: saves what no commit has, such as what a stream changed in place. */
  finish(): void {
    for (const handle of this.handles) {
      const saving = handle.finish();
      if (saving !== null) this.instances.track(saving);
    }
  }

  /** A session changes after the end: saves it once this turn of the event loop is done. The shutdown waits for it from now on. */
  changing(): void {
    if (this.#isSaving) return;
    this.#isSaving = true;
    const saving = turn().then(() => {
      this.#isSaving = false;
      this.finish();
    });
    this.instances.track(saving);
  }
}
