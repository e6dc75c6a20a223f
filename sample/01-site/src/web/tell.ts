import type { FlashKind, FlashMessage, Session } from 'nestjs-tessera';

/**
 * Leaves a message for the next page, instead of an unread one of its kind. `flash` alone adds to them, and a client that sends forms
 * without ever opening a page would fill its session until it is too large to save.
 */
export function tell<K extends FlashKind>(session: Session, kind: K, message: FlashMessage<K>): void {
  session.messages(kind);
  session.flash(kind, message);
}
