import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MemorySessionStore, SESSION_STORE, SessionModule, sessionStoreToken } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { KEY } from './sealed';

const start = (imports: ReturnType<typeof SessionModule.forRoot>[], logger: object | false = false) => {
  @Module({ imports })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule as Type, {
    logger: logger as never,
    abortOnError: false,
  });
};

/** A list that notes what is done with it. */
const noted = (): MemorySessionStore & { readonly order: string[] } => {
  const order: string[] = [];
  return Object.assign(new MemorySessionStore(), {
    order,
    prepare: async () => void order.push('prepare'),
    close: async () => void order.push('close'),
    sweep: async () => order.push('sweep') * 0,
  });
};

describe('the module with sealed sessions', () => {
  it('prepares, sweeps and closes the store of revocations', async () => {
    const revocations = noted();
    const context = await start([
      SessionModule.forRoot({ store: new SealedSessions({ keys: [KEY], revocations }), sweepEvery: 5 }),
    ]);
    expect(revocations.order[0]).toBe('prepare');
    for (let waits = 0; !revocations.order.includes('sweep') && waits < 400; waits++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await context.close();
    expect(new Set(revocations.order)).toEqual(new Set(['prepare', 'sweep', 'close']));
    expect(revocations.order.filter((each) => each === 'close')).toHaveLength(1);
    expect(revocations.order.at(-1)).toBe('close');
  });

  it('closes a store once that also keeps sessions, or revocations of another instance', async () => {
    const revocations = noted();
    const sealed = new SealedSessions({ keys: [KEY], revocations });
    const context = await start([
      SessionModule.forRoot({ store: sealed, sweepEvery: false }),
      SessionModule.forRoot({ name: 'admin', store: sealed, sweepEvery: false }),
      SessionModule.forRoot({ name: 'stored', store: revocations, sweepEvery: false }),
    ]);
    // A whole user is accepted: only a login would lose its other fields.
    const user = { id: 7, email: 'ada@example.com' };
    await sealed.revokeAll(user);
    expect(revocations.size).toBe(2);
    await context.close();
    expect(revocations.order.filter((each) => each === 'close')).toEqual(['close']);
  });

  it('F7: does not start on a list that is not ready', async () => {
    const revocations = Object.assign(new MemorySessionStore(), {
      prepare: () => Promise.reject(new Error('the table is missing')),
    });
    const store = new SealedSessions({ keys: [KEY], revocations });
    await expect(start([SessionModule.forRoot({ store })])).rejects.toThrow('the table is missing');
  });

  it('hands out the sealed sessions where others have their store', async () => {
    const store = new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() });
    const admins = new SealedSessions({ keys: [KEY], dangerouslyWithoutRevocation: true });
    const context = await start([
      SessionModule.forRoot({ store }),
      SessionModule.forRoot({ name: 'admin', store: admins }),
    ]);
    const handedOut = {
      members: context.get(SESSION_STORE),
      admins: context.get(sessionStoreToken('admin')),
    };
    expect(handedOut).toEqual({ members: store, admins });
    await context.close();
  });

  it('refuses the class in the place of an instance', async () => {
    await expect(start([SessionModule.forRoot({ store: SealedSessions as never })])).rejects.toThrow(
      /store is a class; pass an instance: new SealedSessions/,
    );
  });

  it('warns of revocations in memory where it is meant seriously', async () => {
    const warnings: unknown[] = [];
    const logger = { warn: (said: unknown) => warnings.push(said), log: () => {}, error: () => {} };
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      const store = new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() });
      await (await start([SessionModule.forRoot({ store })], logger)).close();
    } finally {
      process.env['NODE_ENV'] = before;
    }
    expect(warnings).toEqual([expect.stringMatching(/Revocations are kept in memory/)]);
  });
});
