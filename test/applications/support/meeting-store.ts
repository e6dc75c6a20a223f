import { MemorySessionStore, type SessionRecord } from 'nestjs-tessera';
import { door } from '../../support/watched-store';

/** A memory store that makes requests overlap: a test holds them between the read of their session and what they do with it. */
export class MeetingStore extends MemorySessionStore {
  #afterFind: () => Promise<void> = async () => {};

  /** Holds the next reads until there are so many. */
  meet(reads: number): void {
    const all = door();
    let missing = reads;
    this.#afterFind = async () => {
      if (missing === 0) return;
      if (--missing === 0) all.open();
      await all.opened;
    };
  }

  /**
   * Holds the next read, and no other.
   * @returns when it is there, what lets it go on
   */
  async hold(): Promise<() => void> {
    const [there, on] = [door(), door()];
    this.#afterFind = () => {
      this.#afterFind = async () => {};
      there.open();
      return on.opened;
    };
    await there.opened;
    return on.open;
  }

  override async find(id: SessionRecord['id']): Promise<SessionRecord | null> {
    const record = await super.find(id);
    await this.#afterFind();
    return record;
  }
}
