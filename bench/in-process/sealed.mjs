// One way to keep a session in a cookie: seals and opens.
import { answer, given } from './answer.mjs';
import { cpuOf } from './cpu.mjs';
import { subjects } from './sealed-subjects.mjs';

const { name, bytes } = given();
const { seal, open } = await subjects[name](bytes);
let cookie = await seal();
// What seals a change each time is back at its beginning after two.
if ((await open(cookie)) !== 1) cookie = await seal();

const operations = {
  seal,
  open: () => {
    const visits = open(cookie);
    return visits instanceof Promise ? visits.then(check) : check(visits);
  },
};
const times = {};

answer({
  /** Also finds out how often each is done in a round. */
  warmUp: async ({ microseconds }) => {
    for (const [step, operation] of Object.entries(operations)) {
      await cpuOf(300, operation);
      times[step] = Math.ceil(microseconds / (await cpuOf(300, operation)));
      for (let round = 0; round < 3; round++) await cpuOf(times[step], operation);
    }
    return { length: cookie.length };
  },
  measure: async () => ({
    open: await cpuOf(times.open, operations.open),
    seal: await cpuOf(times.seal, operations.seal),
  }),
});

function check(visits) {
  if (visits !== 1) throw new Error(`${name} gave back ${visits}`);
}
