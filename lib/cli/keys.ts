import { text } from 'node:stream/consumers';
import { randomText } from '../core/random-text';
import { resolveKeys } from '../stores/sealed/sealing-keys';
import { fromEnvironment, parse, UsageError, type Command } from './arguments';

const KEY_BYTES = 32;

/** What belongs to the file that a ring was copied from: white space, quotes, and `NAME=`. At the end of a key `=` is part of base64. */
const NOT_OF_A_KEY = /[\s"'`]|=(?!=*$)/;

/**
 * Prints a key ring for `SealedSessions`, as `SESSION_KEYS` has it: keys with commas between them, the current one first. A new key comes last,
 * until every process knows it, and then first.
 */
export const keys: Command = async (args, output) => {
  const { add, promote } = parse(args, { add: { type: 'string' }, promote: { type: 'string' } }).values;
  if (add !== undefined && promote !== undefined)
    throw new UsageError('--add and --promote are two steps: every process must have the ring of the first.');
  if (add !== undefined) {
    await output.write([...(await ringIn('--add', add)), randomText(KEY_BYTES)].join());
    return output.note(
      'Give this ring to every process. Then bring its last key to the front: keys --promote.',
    );
  }
  if (promote === undefined) return output.write(randomText(KEY_BYTES));
  const ring = await ringIn('--promote', promote);
  if (ring.length === 1) throw new Error('The ring has one key only: add another with keys --add.');
  await output.write([ring.at(-1), ...ring.slice(0, -1)].join());
  output.note('Drop the older keys when the longest lifetime of a session has passed.');
};

/** @throws UsageError for a ring that stands in the arguments; Error for an invalid one, whose message has no part of a key */
async function ringIn(option: string, source: string): Promise<string[]> {
  if (source !== '-' && !source.startsWith('env:'))
    throw new UsageError(`${option} takes env:NAME, or - for the standard input.`);
  const ring = source === '-' ? await text(process.stdin) : fromEnvironment(source);
  const found = ring.trim().split(',');
  const { problems } = resolveKeys(found);
  for (const [index, key] of found.entries())
    if (NOT_OF_A_KEY.test(key))
      problems.push(
        `keys[${index}] has white space, a quote or an equals sign, which would become part of it: give the keys alone, with commas between them`,
      );
  if (problems.length === 0) return found;
  throw new Error(`The key ring is invalid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
}
