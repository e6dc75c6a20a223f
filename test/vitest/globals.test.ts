import { MemorySessionStore } from 'nestjs-tessera';
import { describeSessionStore } from 'nestjs-tessera/testing';

describeSessionStore('global', { create: () => new MemorySessionStore() });
