import { Logger } from '@nestjs/common';
import { filter, firstValueFrom, map, mergeMap, share, Subject, tap, type Observable } from 'rxjs';
import type { SessionEvent } from './core/session-event';
import { SessionEvents } from './session.events';

const event = (type: SessionEvent['type'] = 'created'): SessionEvent => ({
  type,
  sessionName: 'default',
  id: 'an id',
  principal: null,
  subject: null,
  reason: null,
  at: 0,
});

describe('the events', () => {
  let events: SessionEvents;
  let logged: jest.SpyInstance;
  const stray: unknown[] = [];
  const note = (error: unknown): void => void stray.push(error);
  beforeEach(() => {
    events = new SessionEvents();
    logged = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    stray.length = 0;
    process.on('uncaughtException', note).on('unhandledRejection', note);
  });
  afterEach(() => {
    logged.mockRestore();
    process.off('uncaughtException', note).off('unhandledRejection', note);
  });

  /** RxJS reports what nobody caught from a timer, and Node a rejection after the microtasks. */
  const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 5));
  const bad = (): never => {
    throw new Error('a bad listener');
  };
  const rejecting = (() => Promise.reject(new Error('a bad listener'))) as () => never;

  it('W11: of an application end with the last of its instances', () => {
    const all = SessionEvents.of({});
    const [first, second] = [new SessionEvents(), new SessionEvents()];
    all.include(first);
    all.include(second);
    const heard: string[] = [];
    all.subscribe({ next: ({ type }) => heard.push(type), complete: () => heard.push('end') });
    first.emit(event('loggedIn'));
    first.complete();
    second.emit(event('loggedOut'));
    second.complete();
    expect(heard).toEqual(['loggedIn', 'loggedOut', 'end']);
  });

  it('reach every listener, frozen', () => {
    const heard: SessionEvent[] = [];
    events.subscribe((each) => heard.push(each));
    events.pipe(filter(({ type }) => type === 'loggedIn')).subscribe({ next: (each) => heard.push(each) });
    events.emit(event());
    events.emit(event('loggedIn'));
    expect(heard.map(({ type }) => type)).toEqual(['created', 'loggedIn', 'loggedIn']);
    expect(Object.isFrozen(heard[0])).toBe(true);
  });

  it.each<[string, (stream: SessionEvents) => unknown]>([
    ['throws', (stream) => stream.subscribe(bad)],
    ['is an observer that throws', (stream) => stream.subscribe({ next: bad })],
    ['rejects', (stream) => stream.subscribe(rejecting)],
    ['throws behind an operator', (stream) => stream.pipe(filter(() => true)).subscribe(bad)],
    [
      'rejects behind operators',
      (stream) =>
        stream
          .pipe(
            map((e) => e),
            share(),
          )
          .subscribe(rejecting),
    ],
    ['throws within an operator', (stream) => stream.pipe(map(bad)).subscribe()],
    ['throws within tap', (stream) => stream.pipe(tap(bad)).subscribe(() => {})],
    ['rejects within mergeMap', (stream) => stream.pipe(mergeMap(async () => bad())).subscribe()],
    ['throws on the error of an operator', (stream) => stream.pipe(map(bad)).subscribe({ error: bad })],
    ['throws when it is told the end', (stream) => stream.subscribe({ complete: bad })],
    ['throws in forEach', (stream) => stream.forEach(bad).catch(() => Logger.prototype.error('x'))],
  ])('F5: are not disturbed by a listener that %s', async (_what, listen) => {
    const heard: string[] = [];
    events.subscribe(() => heard.push('before'));
    listen(events);
    events.subscribe(() => heard.push('after'));
    expect(() => events.emit(event())).not.toThrow();
    expect(() => events.complete()).not.toThrow();
    await aWhile();
    expect(heard).toEqual(['before', 'after']);
    expect(stray).toEqual([]);
    expect(logged).toHaveBeenCalled();
  });

  it('F5: do not wait for a listener that hangs', () => {
    events.subscribe(() => new Promise(() => {}) as never);
    const heard: SessionEvent[] = [];
    events.subscribe((each) => heard.push(each));
    events.emit(event());
    expect(heard).toHaveLength(1);
  });

  it('go on for a listener that has thrown', () => {
    let calls = 0;
    events.subscribe(() => {
      calls++;
      bad();
    });
    events.emit(event());
    events.emit(event());
    expect(calls).toBe(2);
  });

  it('behave as any stream: first value, another subject, unsubscribing, the end', async () => {
    const first = firstValueFrom(events as Observable<SessionEvent>);
    const relay = new Subject<SessionEvent>();
    const relayed: SessionEvent[] = [];
    let completed = false;
    relay.subscribe({ next: (each) => relayed.push(each), complete: () => (completed = true) });
    events.subscribe(relay);
    const gone = events.subscribe(bad);
    gone.unsubscribe();
    events.emit(event());
    events.complete();
    expect(await first).toMatchObject({ type: 'created' });
    expect({ relayed: relayed.length, completed, logged: logged.mock.calls.length }).toEqual({
      relayed: 1,
      completed: true,
      logged: 0,
    });
  });

  it('T3: log what a listener threw, and nothing of the event', () => {
    events.subscribe(bad);
    events.emit(event());
    expect(logged).toHaveBeenCalledWith('A listener of session events failed', new Error('a bad listener'));
  });
});
