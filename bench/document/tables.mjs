import { figure } from './plots.mjs';

/** One group: a line for each row, the runs that have it side by side. */
export function tableOf(name, allRuns) {
  const runs = allRuns.filter(({ groups }) => groups.some((group) => group.name === name));
  const groups = runs.map((run) => run.groups.find((group) => group.name === name));
  const { rows } = groups[0];
  const hasPeers = rows.some(({ peer }) => peer);
  const hasSockets = rows.some(({ sockets }) => sockets);
  const asked = ['commands', 'statements'].find((name) => rows.some(({ more }) => more[name] !== undefined));
  const head = [
    ...['what', ...(hasPeers ? ['against'] : []), 'unit'],
    ...runs.flatMap(({ about }) => [
      `Node ${about.node.slice(1)}`,
      ...(hasPeers ? ['the other', 'ratio'] : []),
      ...(hasSockets ? ['over sockets'] : []),
    ]),
    ...(asked === undefined ? [] : [`${asked} a request`]),
    ...(rows.some(({ goal }) => goal) ? ['goal'] : []),
  ];
  const lines = rows.map((row) => [
    row.what,
    ...(hasPeers ? [row.peer?.name ?? ''] : []),
    row.unit,
    ...groups.flatMap((group) => {
      const here = group.rows.find(({ id }) => id === row.id);
      return [...cellsOf(here, hasPeers), ...(hasSockets ? [overSockets(here)] : [])];
    }),
    ...(asked === undefined ? [] : [`${row.more[asked]}, the other ${row.more[`peer ${asked}`]}`]),
    ...(head.includes('goal')
      ? [row.goal ? `≤ ${figure(row.goal.atMost)} ${row.goal.met ? '✓' : '✗'}` : '']
      : []),
  ]);
  const noiseOf = (name) =>
    groups.map((group, i) => `${percent(group[name])} (Node ${runs[i].about.node.slice(1)})`).join(', ');
  const overSocketsToo = hasSockets ? `; over sockets: ${noiseOf('noiseOverSockets')}` : '';
  return `${markdown(head, lines)}\n\nA ratio this close to 1 is a draw: ${noiseOf('noise')}${overSocketsToo}.`;
}

export function machineTable(runs) {
  const [{ about }] = runs;
  const packages = Object.entries(about.packages).map(([name, version]) => `${name} ${version}`);
  return markdown(
    ['', ''],
    [
      ['Node', runs.map(({ about: { node } }) => node.slice(1)).join(', ')],
      ['Machine', `${about.cpu}, ${about.cores} cores, ${about.memory}, ${about.system}`],
      ['Processes', about.pinned ? 'each server on one core, the load on another' : 'not pinned'],
      ['Run', runs.map(({ about: { begun } }) => begun.slice(0, 10)).join(', ')],
      ['Versions', packages.join(', ')],
    ],
  );
}

function cellsOf(row, hasPeers) {
  if (row === undefined) return hasPeers ? ['', '', ''] : [''];
  const ours = spread(row.ours);
  if (!hasPeers) return [ours];
  return row.peer ? [ours, spread(row.peer), ratio(row)] : [ours, '', ''];
}

/** The ratio, or where nobody is compared the figure. */
function overSockets(row) {
  if (!row?.sockets) return '';
  return row.sockets.ratio ? ratio(row.sockets) : spread(row.sockets.ours);
}

/** With the range in which the median lies 19 times of 20. */
function ratio({ ratio, verdict }) {
  if (!ratio) return '';
  // JSON has no infinity.
  const range = `(${ratio.range.map((end) => figure(end) || '∞').join(' … ')})`;
  return verdict === 'draw'
    ? `${figure(ratio.median)} ${range}, a draw`
    : `**${figure(ratio.median)}** ${range}`;
}

/** The median, and the quartiles where they tell something else. */
function spread({ median, low, high }) {
  const [m, l, h] = [median, low, high].map(figure);
  return l === m && h === m ? m : `${m} (${l} … ${h})`;
}

function percent(share) {
  return share === undefined || share === null ? 'not known' : `± ${(share * 100).toFixed(0)} %`;
}

function markdown(head, lines) {
  const rows = [head, head.map((_, i) => (i < 2 ? '---' : '--:')), ...lines];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
