#!/usr/bin/env node
import { once } from 'node:events';
import type { Output } from './arguments';
import { runProgram } from './program';

const output: Output = {
  async write(line) {
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
  },
  note: (line) => void process.stderr.write(`${line}\n`),
};

// The reader of the output may have seen enough, as `head` has.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1));

void runProgram(process.argv.slice(2), output).then((code) => {
  // An options file may have opened connections. What is written to a pipe must be out before.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
});
