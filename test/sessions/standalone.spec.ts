import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MemorySessionStore, SessionManager, SessionModule, sessionManagerToken } from 'nestjs-tessera';
import '../support/session-data';

/** A job, or a protocol of one's own: it has tokens, and no requests. */
@Injectable()
class Turnstile {
  constructor(private readonly sessions: SessionManager) {}

  /** Counts a visit. @returns the token to come back with */
  async pass(token: string | null): Promise<string> {
    const session = await this.sessions.open(token);
    session.update('visits', (visits = 0) => visits + 1);
    const outcome = await this.sessions.commit(session);
    return outcome.kind === 'issue' ? outcome.token : token!;
  }
}

describe('an application without HTTP', () => {
  @Module({
    imports: [
      SessionModule.forRoot({ store: new MemorySessionStore() }),
      SessionModule.forRoot({ name: 'admin', cookie: { name: '__Host-admin' } }),
    ],
    providers: [Turnstile],
  })
  class JobModule {}

  it('opens and commits sessions through the manager', async () => {
    const app = await NestFactory.createApplicationContext(JobModule, { logger: false });
    const turnstile = app.get(Turnstile);
    const token = await turnstile.pass(null);
    await turnstile.pass(token);
    const session = await app.get(SessionManager).open(token);
    expect({ visits: session.get('visits'), isNew: session.isNew }).toEqual({ visits: 2, isNew: false });
    await app.close();
  });

  it('T8: has a manager for each instance, which opens tokens of its own only', async () => {
    const app = await NestFactory.createApplicationContext(JobModule, { logger: false });
    const token = await app.get(Turnstile).pass(null);
    const admin = app.get<SessionManager>(sessionManagerToken('admin'));
    expect((await admin.open(token)).isNew).toBe(true);
    await app.close();
  });
});
