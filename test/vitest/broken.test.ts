import { MemorySessionStore, type SessionRecord } from 'nestjs-tessera';
import { describeSessionStore } from 'nestjs-tessera/testing';
import * as runner from 'vitest';

class ForgetfulStore extends MemorySessionStore {
  override async update(record: SessionRecord): Promise<boolean> {
    const found = await this.find(record.id);
    return found !== null && super.update(record, found.version);
  }
}

describeSessionStore('broken', { runner, create: () => new ForgetfulStore() });
