import { messageOf, quoted, UsageError, USAGE, type Command, type Output } from './arguments';
import { keys } from './keys';
import { migration } from './migration';
import { policy } from './policy';
import { sessions } from './sessions';

const COMMANDS: ReadonlyMap<string, Command> = new Map(Object.entries({ keys, migration, policy, sessions }));

/** Runs a command line. Returns the exit code, and never throws but what the output throws. */
export async function runProgram([name = '', ...args]: readonly string[], output: Output): Promise<number> {
  try {
    if ([name, ...args].some((each) => each === '--help' || each === '-h')) {
      await output.write(USAGE);
      return 0;
    }
    const command = COMMANDS.get(name);
    if (command === undefined)
      throw new UsageError(name === '' ? 'A command is missing.' : `There is no command${quoted(name)}.`);
    await command(args, output);
    return 0;
  } catch (error) {
    const message = messageOf(error);
    output.note(
      error instanceof UsageError ? `${message}\nnestjs-tessera --help tells how it is used.` : message,
    );
    return error instanceof UsageError ? 2 : 1;
  }
}
