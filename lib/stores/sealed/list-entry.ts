import type { SecretHash } from '../../core/session-token';
import type { LoginFacts } from '../../core/watched-login';

/** One entry of the revocation list: about a session, or about a principal. */
export type ListEntry =
  /**
   * The token was renewed at `at`, with `principal` logged in; `replaced` is the former hash. Only values with the record's secret hash are
   * valid. `login` is for those who watch an older value; it is unknown when another release has renewed the token.
   */
  | {
      readonly kind: 'renewed';
      readonly at: number;
      readonly principal: string | null;
      readonly replaced: SecretHash;
      readonly login?: LoginFacts;
    }
  | { readonly kind: 'ended' }
  /** Logins up to this instant, in epoch milliseconds, are invalid. */
  | { readonly kind: 'principal'; readonly deadUntil: number };

/**
 * Takes the place of the format number of a session body. Readers of bodies take it for the format of a later release and leave
 * the record alone, so the list can share a store with sessions.
 */
const ENTRY_FORMAT = 999_999_999;

export function toEntryBody(entry: ListEntry): string {
  return `${ENTRY_FORMAT}\n${JSON.stringify(entry)}\n`;
}

/** Returns `null` when the body is not a valid entry. */
export function fromEntryBody(body: string): ListEntry | null {
  if (!body.startsWith(`${ENTRY_FORMAT}\n`)) return null;
  try {
    const entry = JSON.parse(body.slice(body.indexOf('\n'))) as ListEntry;
    return isValid(entry) ? entry : null;
  } catch {
    return null;
  }
}

function isValid(entry: ListEntry): boolean {
  switch (entry.kind) {
    case 'renewed':
      return Number.isFinite(entry.at) && typeof entry.replaced === 'string' && isLogin(entry.login);
    case 'ended':
      return true;
    case 'principal':
      return Number.isFinite(entry.deadUntil);
    default:
      entry satisfies never;
      return false;
  }
}

function isLogin(login: LoginFacts | undefined): boolean {
  return login === undefined || [login.startedAt, login.standsSince, login.deadline].every(Number.isFinite);
}
