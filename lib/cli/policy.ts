import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SessionPolicy } from '../core/session-policy';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import type { SessionModuleSyncOptions } from '../session.module-definition';
import { describePolicy } from '../session.options';
import { messageOf, parse, UsageError, type Command } from './arguments';

const UNITS: readonly [suffix: string, milliseconds: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** What a module of options may export. */
interface OptionsModule {
  readonly options?: SessionModuleSyncOptions;
  readonly default?: SessionModuleSyncOptions | OptionsModule;
}

/** Prints the policy in force, as `describePolicy` returns it. */
export const policy: Command = async (args, output) => {
  const options = { name: { type: 'string' }, json: { type: 'boolean' } } as const;
  const { values, positionals } = parse(args, options, 1);
  const [file] = positionals;
  if (file === undefined) throw new UsageError('The file is missing that exports the options.');
  const { name = DEFAULT_SESSION, ...given } = await optionsIn(file);
  const found = describePolicy(given, values.name ?? name);
  if (values.json) return output.write(JSON.stringify(found, null, 2));
  const rows = rowsOf(found);
  const width = Math.max(...rows.map(([label]) => label.length));
  for (const [label, text] of rows) await output.write(`${label.padEnd(width)}  ${text}`);
  await output.write('');
  for (const sentence of found.always) await output.write(`- ${sentence}`);
};

/** @throws Error for a file without options, or one that cannot be imported */
async function optionsIn(file: string): Promise<SessionModuleSyncOptions> {
  const path = resolve(file);
  if (!existsSync(path)) throw new Error(`There is no file ${path}.`);
  const module = await imported(path);
  // The default export of a CommonJS module is all that it exports, with a default of its own if it was compiled from TypeScript.
  const inner = module.default as OptionsModule | undefined;
  const options = module.options ?? inner?.options ?? inner?.default ?? inner;
  if (typeof options === 'object' && options !== null && !('then' in options))
    return options as SessionModuleSyncOptions;
  throw new Error(
    `${file} exports no options. Export what forRoot is given, as default or as options: an object, not a function or a promise.`,
  );
}

async function imported(path: string): Promise<OptionsModule> {
  try {
    if (path.endsWith('.json')) return { options: JSON.parse(readFileSync(path, 'utf8')) as object };
    return (await import(pathToFileURL(path).href)) as OptionsModule;
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION')
      throw new Error(`${path} could not be imported: ${messageOf(error)}`);
    throw new Error(
      `Node ${process.versions.node} cannot import ${path}. Compile it to JavaScript, or use Node 22.18 or newer for TypeScript.`,
    );
  }
}

function rowsOf(found: SessionPolicy): [label: string, text: string][] {
  const { preset, rememberMe, maxSessionsPerPrincipal: max, onLimit, rotateEvery } = found;
  return [
    ['Instance', found.name],
    ['Preset', preset ?? 'none'],
    ['Lifetime', durationOf(found.lifetime)],
    [
      'Idle timeout',
      `${durationOf(found.idleTimeout)}${found.onIdle === 'lock' ? ', then it is locked' : ''}`,
    ],
    ['Remembered: lifetime', durationOf(rememberMe.lifetime)],
    ['Remembered: idle timeout', durationOf(rememberMe.idleTimeout)],
    ['Pending login', durationOf(found.pendingLifetime)],
    ['Sessions per principal', max === null ? 'no limit' : `${max}, then ${onLimit}`],
    ['Token rotates', rotateEvery === 0 ? 'at every request' : durationOf(rotateEvery, 'never by age')],
    ['Token in', found.tokenIn],
  ];
}

/** In the largest unit that needs no fraction, as options are written: `30m`. */
function durationOf(milliseconds: number | null, none = 'none'): string {
  if (milliseconds === null) return none;
  const [suffix, unit] = UNITS.find(([, length]) => milliseconds % length === 0) ?? ['ms', 1];
  return `${milliseconds / unit}${suffix}`;
}
