import type { PrincipalIndexedStore, SessionStore } from 'nestjs-tessera';
import { InterceptedStore, type StoreOperation } from '../../lib/testing/intercepted-store';

type Operation = keyof SessionStore | keyof PrincipalIndexedStore;

const OPERATIONS: readonly StoreOperation[] = [
  ...(['find', 'insert', 'update', 'extend', 'delete', 'findByPrincipal', 'deleteByPrincipal'] as const),
];

/**
 * A store seen from outside: counts the calls about sessions of one client or principal, and lets a test stop or fail them to force an
 * interleaving. The store behind it is a real one.
 */
export class WatchedStore extends InterceptedStore {
  readonly calls: Operation[] = [];
  /** Runs before a call reaches the store; may wait, or throw to fail it. */
  before: (operation: Operation, id: string) => void | Promise<void> = () => {};
  /** Runs after the store has answered, before the manager hears of it. */
  after: (operation: Operation, id: string) => void | Promise<void> = () => {};

  /** The calls since the last look. */
  take(): Operation[] {
    return this.calls.splice(0);
  }

  protected override async intercept<T>(
    operation: StoreOperation,
    id: string,
    run: () => Promise<T>,
  ): Promise<T> {
    if (!isWatched(operation)) return run();
    this.calls.push(operation);
    await this.before(operation, id);
    const result = await run();
    await this.after(operation, id);
    return result;
  }
}

function isWatched(operation: StoreOperation): operation is Operation {
  return OPERATIONS.includes(operation);
}

/** A door in a test: those who wait at it go on when it opens. */
export function door(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
