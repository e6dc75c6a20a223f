import { MemorySessionStore, type Session } from 'nestjs-tessera';
import { core } from '../support/core';
import '../support/session-data';

describe('a session of another client, committed by the manager', () => {
  it.each<[string, (session: Session) => void]>([
    ['elevate', (session) => session.elevate({ roles: ['admin'] })],
    ['login', (session) => session.login({ id: 'ada', roles: ['admin'] })],
    ['login as another', (session) => session.login({ id: 'bob' })],
    ['actAs', (session) => session.actAs({ id: 'bob' })],
  ])('L1: gives the token of its client no rights by %s', async (_name, work) => {
    const store = new MemorySessionStore();
    const app = core({ store });
    Object.assign(app.store, { records: store.records.bind(store) });
    const token = await app.issued(null, (session) => session.login({ id: 'ada', roles: ['member'] }));
    const codes: unknown[] = [];
    for await (const session of app.manager.directory.all()) {
      work(session);
      await app.manager.commit(session).catch(({ code }: { code: string }) => codes.push(code));
      session.rollback();
    }
    const { principal } = await app.manager.open(token);
    expect({ codes, id: principal?.id, roles: principal?.roles }).toEqual({
      codes: ['SESSION_TOKEN_UNDELIVERABLE'],
      id: 'ada',
      roles: ['member'],
    });
  });
});
