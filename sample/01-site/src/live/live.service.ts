import { Injectable, type BeforeApplicationShutdown, type MessageEvent } from '@nestjs/common';
import { SessionEvents, type SessionEvent, type SessionEventType } from 'nestjs-tessera';
import { Subject, auditTime, filter, map, startWith, takeUntil, type Observable } from 'rxjs';

/** What changes a list of logins. */
const CHANGES: readonly SessionEventType[] = [
  'loggedIn',
  'loggedOut',
  'destroyed',
  'expired',
  'evicted',
  'stolen',
  'actedAs',
  'stoppedActing',
];

/** Several changes within this time, in milliseconds, are told as one. */
const TOGETHER = 100;

/** After this time, in milliseconds, a browser whose stream has ended asks for another one. */
const RETRY = 500;

/**
 * Server-sent events for pages with a list of logins: each says "look again". The events are those of this process; with several, the
 * page of another one is up to date when it is loaded again. The library ends a stream with its session (`closeStreamsOnEnd`).
 */
@Injectable()
export class Live implements BeforeApplicationShutdown {
  readonly #closing = new Subject<void>();

  constructor(private readonly events: SessionEvents) {}

  /** The first message comes at once, for what has changed since the page was made. */
  changes(concerns: (event: SessionEvent) => boolean): Observable<MessageEvent> {
    return this.events.pipe(
      filter((event) => CHANGES.includes(event.type) && concerns(event)),
      auditTime(TOGETHER),
      startWith(null),
      map(() => ({ data: 'changed', retry: RETRY })),
      takeUntil(this.#closing),
    );
  }

  /** The server waits for its connections: a stream that goes on would keep the process. */
  beforeApplicationShutdown(): void {
    this.#closing.next();
  }
}
