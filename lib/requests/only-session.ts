import type { Session } from '../core/session';
import type { SessionManager } from '../core/session-manager';

/**
 * Returns the session that several tokens open, or `null` when they open none or different ones.
 * @param find opens one of them
 */
export async function onlySession(
  manager: SessionManager,
  tokens: readonly string[] = [],
  find: (token: string, isDoubtful: boolean) => Promise<Session>,
): Promise<Session | null> {
  const found: Session[] = [];
  for (const token of new Set(tokens)) found.push(await find(token, true));
  const open = found.filter(({ isNew }) => !isNew);
  if (new Set(open.map(({ id }) => id)).size !== 1) return null;
  return open.find((each) => manager.isCurrent(each)) ?? open[0]!;
}
