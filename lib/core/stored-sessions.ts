import type { CommitOutcome } from './commit-outcome';
import type { SessionDraft } from './session-draft';
import type { SessionKeeper, SessionKeeperOptions } from './session-keeper';
import { SessionLoader } from './session-loader';
import type { SessionStore } from './session-store';
import { parseToken } from './session-token';
import { SessionWriter } from './session-writer';
import { StoreClient } from './store-client';
import { StoredShelf } from './stored-shelf';

const NOTHING_TO_LOAD = Promise.resolve();

/** Keeps sessions in a store, and gives their clients a token. */
export class StoredSessions implements SessionKeeper {
  readonly #name: string;
  readonly #client: StoreClient;
  readonly #loader: SessionLoader;
  readonly #writer: SessionWriter;

  constructor(store: SessionStore, options: SessionKeeperOptions) {
    this.#name = options.name;
    this.#client = new StoreClient(store, options.storeTimeout, options.emit);
    this.#loader = new SessionLoader(this.#client, options);
    this.#writer = new SessionWriter(new StoredShelf(this.#client, options), options);
  }

  isToken(value: string): boolean {
    return parseToken(value, this.#name) !== null;
  }

  load(draft: SessionDraft, value: string): Promise<void> {
    const token = parseToken(value, this.#name);
    return token === null ? NOTHING_TO_LOAD : this.#loader.load(draft, token);
  }

  settled(draft: SessionDraft): CommitOutcome | null {
    return this.#writer.settled(draft);
  }

  write(draft: SessionDraft): Promise<CommitOutcome> {
    return this.#writer.write(draft);
  }

  /** The store itself stays open. */
  close(): void {
    this.#client.close();
  }
}
