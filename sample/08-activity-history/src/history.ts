import type { Session } from 'nestjs-tessera';

/** A page that was seen. */
export interface Visit {
  readonly page: string;
  readonly at: Date;
}

declare module 'nestjs-tessera' {
  interface SessionData {
    /** The oldest first. */
    history: Visit[];
  }
}

/** How many pages a session remembers: it is read and written with every page, and must not grow without end. */
const MOST = 20;

/**
 * Notes that a page is seen. `update` gets the list as it is when the session is saved: of two pages that are opened at the same time,
 * neither is lost. Its function may run again, so the time is taken before.
 */
export function record(session: Session, page: string): void {
  const visit: Visit = { page, at: new Date() };
  session.update('history', (history = []) => [...history, visit].slice(-MOST));
}
