import { draftOf, type Session } from '../core/session';
import type { SessionDraft } from '../core/session-draft';

/** Whether something of the session is stored, or the next commit ends it. */
export function isStored({ base, ended }: SessionDraft): boolean {
  return base !== null || ended.length > 0;
}

/** Returns a text that changes with each change of rights or token, and when the session ends. */
export function rightsOf(session: Session): string {
  const { lineage, operations } = draftOf(session);
  return `${lineage}.${operations.filter(({ kind }) => !['data', 'lifespan', 'take', 'isolate'].includes(kind)).length}`;
}
