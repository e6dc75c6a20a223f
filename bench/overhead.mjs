// npm run bench:overhead: what the module costs a request, over the same route without it. See README.md.
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOptions } from './harness/options.mjs';
import { LOAD_CORE, pin } from './harness/pin.mjs';
import { printResults } from './harness/report.mjs';
import { runRounds } from './harness/rounds.mjs';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const options = readOptions();
const { node, platforms, rounds, requests, against } = options;

const subjects = [
  { name: 'bare', module: 'bare', checkout },
  { name: 'tessera', module: 'tessera', checkout },
  { name: 'without interceptor', module: 'tessera', options: { interceptor: false }, checkout },
  { name: 'bare again', module: 'bare', checkout },
  ...(against === undefined
    ? []
    : [{ name: 'tessera, other checkout', module: 'tessera', checkout: against }]),
];

const pinned = pin(process.pid, LOAD_CORE);
const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
console.log(
  `Node ${version}, ${rounds} rounds of ${requests} requests, ${pinned ? 'each process on a core of its own' : 'processes not pinned'}.`,
);
console.log('CPU time in µs a request: the median of all rounds and its quartiles.\n');
for (const platform of platforms) {
  const results = await runRounds({ ...options, subjects, platform });
  printResults(platform, subjects, results);
}
