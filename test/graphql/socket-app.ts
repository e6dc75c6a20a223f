import type { DynamicModule } from '@nestjs/common';
import { MemorySessionStore, SessionEvents, type SessionModuleOptions } from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, startApp, type App, type Platform } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { NewsResolver, allEnded } from './news';
import { Subscriber, type Connecting, type Reply } from './subscriber';

/** How a socket is closed when its login ends. */
export const ENDED = '4403 SESSION_ENDED';

/** Asks who is logged in. */
export const WHO = 'subscription { who }';

/** What that answers. */
export const who = (id: string | undefined): Reply => ({ data: { who: `undefined as ${id}` } });

/** An application with the subscriptions of {@link NewsResolver}, and its clients. */
export class SocketApp {
  readonly http: Scripted = scripted();
  /** Type and reason of the events since the start. */
  readonly events: string[] = [];
  clock!: ManualClock;
  store!: WatchedStore;
  app!: App;
  ada!: Visitor;
  readonly #clients: Subscriber[] = [];

  constructor(
    private readonly platform: Platform,
    private readonly graphql: () => DynamicModule,
  ) {}

  async start(options: SessionModuleOptions = {}): Promise<void> {
    this.clock = manualClock();
    this.store = new WatchedStore(new MemorySessionStore());
    this.app = await startApp({
      platform: this.platform,
      options: { store: this.store, clock: this.clock, ...options },
      imports: [this.graphql()],
      controllers: [this.http.controller],
      providers: [NewsResolver],
    });
    this.app.get(SessionEvents).subscribe(({ type, reason }) => this.events.push(`${type} ${reason}`));
    await this.begin();
  }

  /** With a new visitor. */
  async begin(): Promise<void> {
    this.ada = await visitor(this.app);
    this.events.length = 0;
    this.store.take();
  }

  async end(): Promise<void> {
    this.store.before = () => {};
    for (const client of this.#clients.splice(0)) await client.close();
    await allEnded();
  }

  async close(): Promise<void> {
    await this.end();
    await closeApps();
  }

  async logIn(roles: string[] = []): Promise<void> {
    await this.http.run(this.ada, (s) => s.login({ id: 'ada', roles }));
    this.store.take();
  }

  /** Opens a socket without cookies. */
  async open(connecting: Connecting = {}): Promise<Subscriber> {
    const client = await Subscriber.connect(this.app, connecting);
    this.#clients.push(client);
    return client;
  }

  /** Opens a socket with the cookies of a visitor. */
  async connect(connecting: Connecting = {}, visitor = this.ada): Promise<Subscriber> {
    const cookie = await visitor.jar.getCookieString((await this.app.getUrl()).replace('http:', 'https:'));
    return this.open({ ...connecting, headers: { cookie, ...connecting.headers } });
  }
}
