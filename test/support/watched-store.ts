import type {
  PrincipalIndexedStore,
  SessionRecord,
  SessionStore,
  StoreCall,
  WatchableStore,
} from 'nestjs-tessera';
import { isPrincipalIndexed, isWatchable } from '../../lib/core/store-capabilities';

type Operation = keyof SessionStore | keyof PrincipalIndexedStore;

/**
 * A store seen from outside: counts its calls, and lets a test stop or fail them to force an interleaving. The store
 * behind it is a real one.
 */
export class WatchedStore implements SessionStore {
  readonly calls: Operation[] = [];
  /** Runs before a call reaches the store; may wait, or throw to fail it. */
  before: (operation: Operation, id: string) => void | Promise<void> = () => {};
  /** Runs after the store has answered, before the manager hears of it. */
  after: (operation: Operation, id: string) => void | Promise<void> = () => {};

  readonly findByPrincipal?: PrincipalIndexedStore['findByPrincipal'];
  readonly deleteByPrincipal?: PrincipalIndexedStore['deleteByPrincipal'];

  readonly watchEnds?: WatchableStore['watchEnds'];

  constructor(readonly inner: SessionStore) {
    if (isWatchable(inner)) this.watchEnds = (listener) => inner.watchEnds(listener);
    if (!isPrincipalIndexed(inner)) return;
    this.findByPrincipal = (...all) =>
      this.#watch('findByPrincipal', '', () => inner.findByPrincipal(...all));
    this.deleteByPrincipal = (...all) =>
      this.#watch('deleteByPrincipal', '', () => inner.deleteByPrincipal(...all));
  }

  /** The calls since the last look. */
  take(): Operation[] {
    return this.calls.splice(0);
  }

  find(id: SessionRecord['id'], call: StoreCall): Promise<SessionRecord | null> {
    return this.#watch('find', id, () => this.inner.find(id, call));
  }

  insert(record: SessionRecord, call: StoreCall): Promise<void> {
    return this.#watch('insert', record.id, () => this.inner.insert(record, call));
  }

  update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    return this.#watch('update', record.id, () => this.inner.update(record, expectedVersion, call));
  }

  extend(
    id: SessionRecord['id'],
    expectedVersion: number,
    expiresAt: number,
    call: StoreCall,
  ): Promise<boolean> {
    return this.#watch('extend', id, () => this.inner.extend(id, expectedVersion, expiresAt, call));
  }

  delete(id: SessionRecord['id'], call: StoreCall): Promise<void> {
    return this.#watch('delete', id, () => this.inner.delete(id, call));
  }

  async #watch<T>(operation: Operation, id: string, run: () => Promise<T>): Promise<T> {
    this.calls.push(operation);
    await this.before(operation, id);
    const result = await run();
    await this.after(operation, id);
    return result;
  }
}

/** A door in a test: those who wait at it go on when it opens. */
export function door(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
