// npm run bench: what this library costs, side by side with what it replaces. See README.md.
import { writeFile } from 'node:fs/promises';
import { otherBuild } from './harness/against.mjs';
import { handOver } from './harness/node.mjs';
import { machine } from './harness/machine.mjs';
import { readOptions } from './harness/options.mjs';
import { installPeers } from './harness/peers.mjs';
import { LOAD_CORE, pin } from './harness/pin.mjs';
import { printGroup } from './harness/report.mjs';

const asked = readOptions();
handOver(asked.node);

installPeers();
const options = { ...asked, against: asked.against && otherBuild(asked.against) };
const pinned = pin(process.pid, LOAD_CORE);
const about = {
  ...machine(),
  pinned,
  quick: options.quick,
  against: options.against?.name,
  begun: new Date().toISOString(),
};
console.log(
  `Node ${about.node}, ${about.cpu}, ${about.cores} cores, ${pinned ? 'each server on a core of its own' : 'processes not pinned'}\n`,
);

const groups = [];
for (const name of options.only) {
  const { title, run } = await import(`./groups/${name}.mjs`);
  const begun = performance.now();
  const group = { name, title, ...(await run(options)), seconds: 0 };
  group.seconds = Math.round((performance.now() - begun) / 1000);
  printGroup(group);
  groups.push(group);
  // After each group: what has been measured is not lost with what fails later.
  if (options.json !== undefined)
    await writeFile(options.json, `${JSON.stringify({ about, groups }, null, 2)}\n`);
}
