/** What the list notes of a session, or of a principal. */
export type ListEntry =
  /** Only values with the record's secret hash are good. When it was renewed, and who was logged in then. */
  | { readonly kind: 'renewed'; readonly at: number; readonly principal: string | null }
  | { readonly kind: 'ended' }
  /** Logins up to this instant are dead. */
  | { readonly kind: 'principal'; readonly deadUntil: number };

/**
 * Where a session's body has the number of its format. To all who read bodies this is one of a later release, which they leave alone:
 * the list may lie in a store with sessions.
 */
const FORMAT = 999_999_999;

export function toEntryBody(entry: ListEntry): string {
  return `${FORMAT}\n${JSON.stringify(entry)}\n`;
}

/** `null` for what cannot be read. */
export function fromEntryBody(body: string): ListEntry | null {
  if (!body.startsWith(`${FORMAT}\n`)) return null;
  try {
    const entry = JSON.parse(body.slice(body.indexOf('\n'))) as ListEntry;
    return isSound(entry) ? entry : null;
  } catch {
    return null;
  }
}

function isSound(entry: ListEntry): boolean {
  switch (entry.kind) {
    case 'renewed':
      return Number.isFinite(entry.at);
    case 'ended':
      return true;
    case 'principal':
      return Number.isFinite(entry.deadUntil);
    default:
      entry satisfies never;
      return false;
  }
}
