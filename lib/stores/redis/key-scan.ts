import type { StoreCall } from '../../core/session-store';
import type { RedisCommands } from './redis-commands';
import { textOf, textsOf } from './redis-reply';

/** Keys that a server looks at before it answers. */
const COUNT = '500';

/**
 * What follows the prefix in every key that begins with it, page by page, server by server. A key may come twice; one that exists
 * throughout comes.
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

/** Redis's patterns know `*`, `?`, `[…]` and the backslash. */
function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}
