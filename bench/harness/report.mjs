/**
 * Prints what a group has measured: a line for each row, then the noise and what is to be known about it. `×` is ours over the peer's, and in
 * which range its median lies 19 times of 20; figures of a client or a server that come with a row follow it, ours before the peer's.
 */
export function printGroup({ name, title, rows, noise, noiseOverSockets, notes, seconds }) {
  console.log(`${name}: ${title}`);
  const hasSockets = rows.some((row) => row.sockets);
  const lines = rows.map((row) => [
    row.id.slice(name.length + 1),
    amount(row.ours.median),
    row.peer === undefined ? '' : amount(row.peer.median),
    row.unit,
    ratioOf(row),
    row.verdict ?? '',
    goalOf(row.goal),
    ...(hasSockets ? socketsOf(row) : []),
    moreOf(row.sockets?.more ?? row.more),
  ]);
  const head = ['', 'ours', 'peer', '', '×', '', 'goal', ...(hasSockets ? SOCKETS : []), ''];
  printTable([head, ...lines]);
  const alsoOver = hasSockets ? `, over sockets ${percent(noiseOverSockets)}` : '';
  console.log(`noise: ours differs from itself by ${percent(noise)}${alsoOver}; ${seconds} s`);
  for (const note of notes) console.log(note);
  console.log();
}

const SOCKETS = ['over sockets: ours', 'peer', '×', ''];

function socketsOf({ sockets }) {
  if (sockets === undefined) return SOCKETS.map(() => '');
  const { ours, peer, verdict = '' } = sockets;
  return [amount(ours.median), peer === undefined ? '' : amount(peer.median), ratioOf(sockets), verdict];
}

function ratioOf(row) {
  if (row.ratio === undefined) return '';
  const [low, high] = row.ratio.range;
  return `${ratio(row.ratio.median)} (${ratio(low)} … ${ratio(high)})`;
}

function percent(share) {
  return `${(share * 100).toFixed(0)} %`;
}

function goalOf(goal) {
  return goal === undefined ? '' : `≤ ${amount(goal.atMost)} ${goal.met ? 'met' : 'MISSED'}`;
}

/** Those that a peer has too in one, ours first: `requests/s 9120 / 3418`. */
function moreOf(more) {
  return Object.entries(more)
    .filter(([name]) => !(name.startsWith('peer ') && name.slice('peer '.length) in more))
    .map(([name, value]) => {
      const peer = more[`peer ${name}`];
      return `${name} ${show(value)}${peer === undefined ? '' : ` / ${show(peer)}`}`;
    })
    .join(', ');
}

function show(value) {
  return typeof value === 'number' ? amount(value) : String(value);
}

function ratio(value) {
  return value.toPrecision(2).includes('e') ? value.toFixed(0) : value.toPrecision(2);
}

/** Three digits, or all of a large number. */
function amount(value) {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => (isNumber(cell) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    );
}

function isNumber(cell) {
  return /^-?[\d.]+$/.test(cell);
}
