import { noiseOf, row } from '../harness/row.mjs';
import { connectAll, loadSockets } from '../harness/socket-load.mjs';
import { differences, means } from '../harness/statistics.mjs';
import { Child, withChildren } from '../in-process/child.mjs';
import { interleave } from '../in-process/interleave.mjs';

export const title =
  'What a session costs a message of a gateway of ws, over the same gateway without: CPU time, sessions in memory';

/** What each is to cost at most over a bare gateway, in microseconds. */
const GOALS = { untouched: 1, read: 12, write: 24 };
const MESSAGES = Object.keys(GOALS);
const SUBJECTS = ['bare', 'tessera', 'tessera', 'bare'];

export function run({ quick, noSockets }) {
  const [rounds, count] = quick ? [7, 2000] : [25, 4000];
  return withChildren(
    SUBJECTS.map((subject) => () => Child.start('sockets', { subject })),
    async (children) => {
      const ask = (message) => (child) => child.ask('measure', { message, count });
      const inProcess = await measureAll(children, rounds, ask);
      const figures = noSockets ? [] : await overSockets(children, rounds, count);
      return {
        rows: MESSAGES.map((message, i) => ({
          ...rowOf(message, inProcess[i]),
          ...(!noSockets && { sockets: rowOf(message, figures[i]) }),
        })),
        noise: noiseIn(inProcess),
        ...(!noSockets && { noiseOverSockets: noiseIn(figures) }),
        notes: inProcess.map(({ bare }, i) => `${MESSAGES[i]}: ${mean(bare).toFixed(1)} µs bare`),
      };
    },
  );
}

async function overSockets(children, rounds, count) {
  const sockets = new Map();
  for (const child of children) {
    const { port, cookies } = await child.ask('about');
    sockets.set(child, await connectAll(port, cookies));
  }
  return measureAll(children, rounds, (message) => async (child) => {
    const begun = await child.ask('cpu');
    await loadSockets(sockets.get(child), message, count);
    return ((await child.ask('cpu')) - begun) / count;
  });
}

/** For each message, what ours take over bare by round, once and again. */
async function measureAll(children, rounds, ask) {
  for (let i = 0; i < rounds; i++)
    for (const message of MESSAGES) for (const child of children) await ask(message)(child);
  const results = [];
  for (const message of MESSAGES) {
    const [bare, ours, again, bareAgain] = await interleave(children, rounds, ask(message));
    const mean = means(bare, bareAgain);
    results.push({ bare: mean, ours: differences(ours, mean), again: differences(again, mean) });
  }
  return results;
}

function rowOf(message, { ours }) {
  return row({ id: `sockets/${message}`, what: message, unit: 'µs', ours, goal: GOALS[message] });
}

/** An untouched message takes next to nothing, which cannot be compared with itself. */
function noiseIn(results) {
  return Math.max(...results.slice(1).map(({ ours, again }) => noiseOf(ours, again)));
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
