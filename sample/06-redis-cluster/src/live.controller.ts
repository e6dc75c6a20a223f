import { Controller, Sse, type BeforeApplicationShutdown, type MessageEvent } from '@nestjs/common';
import { Subject, interval, map, startWith, takeUntil, type Observable } from 'rxjs';

/** In milliseconds. */
const EVERY = 10_000;

/** Server-sent events, which `AuthGuard` has checked once, when they began. The library ends them with their session. */
@Controller()
export class LiveController implements BeforeApplicationShutdown {
  readonly #closing = new Subject<void>();

  @Sse('live')
  live(): Observable<MessageEvent> {
    return interval(EVERY).pipe(
      startWith(null),
      map(() => ({ data: String(process.pid) })),
      takeUntil(this.#closing),
    );
  }

  /** The server waits for its connections: a stream that goes on would keep the process. */
  beforeApplicationShutdown(): void {
    this.#closing.next();
  }
}
