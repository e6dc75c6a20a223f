import type { StoreCall } from '../../core/session-store';
import type { RedisCommands } from './redis-commands';
import { textOf, textsOf } from './redis-reply';

/** Keys that a server examines per SCAN call. */
const COUNT = '500';

/**
 * The part after the prefix of every key with this prefix, page by page, server by server. Yields each key that exists during the whole
 * scan at least once, and may yield a key twice.
 */
export async function* keysBeginningWith(
  prefix: string,
  commands: RedisCommands,
  call: StoreCall,
): AsyncGenerator<string[]> {
  const start = commands.hiddenPrefix + prefix;
  const pattern = `${escapeGlob(start)}*`;
  for (const node of await commands.nodes('records', prefix, call)) {
    let cursor = '0';
    do {
      const command = ['scan', cursor, 'MATCH', pattern, 'COUNT', COUNT] as const;
      const [next, keys] = (await commands.sendTo('records', node, command, call)) as [unknown, unknown];
      cursor = textOf(next);
      yield textsOf(keys).map((key) => key.slice(start.length));
    } while (cursor !== '0');
  }
}

/** Special characters in patterns of Redis: `*`, `?`, `[…]` and the backslash. */
function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}
