import { noiseOf, row } from '../harness/row.mjs';
import { Child, withChildren } from '../in-process/child.mjs';
import { interleave } from '../in-process/interleave.mjs';

export const title =
  'The session manager alone, with the memory store and no HTTP: CPU time of open + get + commit';

const SIZES = [200, 1024];
/** What each is to cost at most with 200 bytes, in nanoseconds. */
const GOALS = { read: 5000, write: 10_000, new: undefined };

const subjects = SIZES.flatMap((bytes) => Object.keys(GOALS).map((what) => ({ what, bytes })));
/** Measured once more, to see what the same subject differs from itself. */
const again = subjects.filter(({ what, bytes }) => bytes === 200 && what !== 'new');

/** @param options with `against`, each line is measured once more with another build, by that one's own bench: it knows its insides */
export function run({ quick, against }) {
  const [rounds, times] = quick ? [7, 5000] : [13, 10_000];
  const others = against === undefined ? [] : subjects;
  const starts = [
    ...[...subjects, ...again].map((subject) => () => Child.start('core', subject)),
    ...others.map((subject) => () => Child.start('core', subject, { folder: against.folder })),
  ];
  return withChildren(starts, async (children) => {
    await Promise.all(children.map((child) => child.ask('warmUp', { times: 5000 })));
    const values = await interleave(children, rounds, (child) => child.ask('measure', { times }));
    const noise = Math.max(
      ...again.map((subject, i) => noiseOf(values[subjects.indexOf(subject)], values[subjects.length + i])),
    );
    const rows = subjects.map((subject, i) => {
      const theirs = values[subjects.length + again.length + i];
      return rowOf(subject, values[i], theirs && { name: against.name, values: theirs }, noise);
    });
    return { rows, noise, notes };
  });
}

function rowOf({ what, bytes }, ours, peer, noise) {
  const goal = bytes === 200 && peer === undefined ? GOALS[what] : undefined;
  return row({
    id: `core/${what}-${bytes}`,
    what: `${what}, ${bytes} bytes`,
    unit: 'ns',
    ours,
    peer,
    noise,
    goal,
  });
}

const notes = [
  'A thousand sessions, each used in turn. Each line has a process of its own, which has done all three things before.',
];
