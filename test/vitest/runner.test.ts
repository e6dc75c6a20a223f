import { MemorySessionStore } from 'nestjs-tessera';
import { describeSessionStore } from 'nestjs-tessera/testing';
import * as runner from 'vitest';

describeSessionStore('handed over', {
  runner,
  create: () => new MemorySessionStore(),
  peer: (store) => store,
});
