import { LOAD_CORE, SERVER_CORE } from '../harness/pin.mjs';
import { noiseOf, row } from '../harness/row.mjs';
import { Child, withChildren } from '../in-process/child.mjs';
import { visit } from '../in-process/visitors.mjs';

export const title = 'Sessions in memory: what one takes, and the longest pause while all of them expire';

const OURS = 'nestjs-tessera';
const PEERS = ['express-session', '@fastify/session'];
const BYTES = 400;
const MILLISECONDS = 10;

export async function run({ quick }) {
  const [count, served] = quick ? [100_000, 20_000] : [1_000_000, 50_000];
  const { pauses, bytes } = await withChild(OURS, { cores: SERVER_CORE }, async (child) => {
    const ours = await fill(child, count);
    // It sweeps for a minute, at rest for nearly all of it; the others are filled on the other core.
    const [pause, others] = await Promise.all([child.ask('expire'), fillOthers(count)]);
    return {
      pauses: { [OURS]: pause, 'express-session': others.pause },
      bytes: { [OURS]: ours, ...others.bytes },
    };
  });
  const bytesServed = {};
  for (const name of [OURS, ...PEERS]) bytesServed[name] = await serve(name, served);

  const noise = noiseOf([bytes[OURS]], [bytes.again]);
  const rows = [
    ...rowsOf(`bytes-${short(count)}`, 'bytes a session', bytes, noise),
    row({
      id: `memory/bytes-${short(count)}-logged-in`,
      what: 'bytes a session, each of a principal of its own',
      unit: 'bytes',
      ours: [bytes[`${OURS}, logged in`]],
      noise,
    }),
    ...rowsOf(`bytes-http-${short(served)}`, 'bytes a session, begun by a request', bytesServed, noise),
    ...pauseRows(pauses, short(count)),
  ];
  return { rows, noise, notes };
}

async function fillOthers(count) {
  const cores = LOAD_CORE;
  const bytes = {};
  const filled = (name) => withChild(name, { cores }, (child) => fill(child, count));
  bytes.again = await filled(OURS);
  bytes[`${OURS}, logged in`] = await filled(`${OURS}, logged in`);
  bytes['@fastify/session'] = await filled('@fastify/session');
  const pause = await withChild('express-session', { cores }, async (child) => {
    bytes['express-session'] = await fill(child, count);
    return child.ask('expire');
  });
  return { bytes, pause };
}

async function fill(child, count) {
  await child.ask('begin');
  await child.ask('fill', { count });
  return child.ask('bytes', { count });
}

/** After some that let it compile and fill its pools. */
function serve(name, count) {
  return withChild(name, { served: true }, async (child) => {
    const port = await child.ask('port');
    await visit(port, 2000);
    await child.ask('begin');
    await visit(port, count);
    return child.ask('bytes', { count });
  });
}

function withChild(name, { served = false, cores = SERVER_CORE }, work) {
  const execArgv = ['--expose-gc', '--max-old-space-size=6144'];
  const start = () => Child.start('memory', { name, served }, { execArgv, cores });
  return withChildren([start], ([child]) => work(child));
}

function rowsOf(id, what, bytes, noise) {
  const ours = [bytes[OURS]];
  return [
    row({ id: `memory/${id}`, what, unit: 'bytes', ours, noise, goal: BYTES }),
    ...PEERS.map((name) => {
      const peer = { name, values: [bytes[name]] };
      return row({ id: `memory/${id}/${name}`, what, unit: 'bytes', ours, peer, noise });
    }),
  ];
}

function pauseRows(pauses, count) {
  const what = 'longest pause while all expire';
  const id = `memory/pause-${count}`;
  const { busy, passed, batch, collection, seconds } = pauses[OURS];
  const ours = [busy];
  const more = {
    'ms with what the machine took': passed,
    'longest batch ms': batch,
    'longest step of the garbage collector ms': collection,
    'seconds until all are gone': seconds,
  };
  const name = 'express-session';
  const peer = { name, values: [pauses[name].busy] };
  return [
    row({ id, what, unit: 'ms', ours, goal: MILLISECONDS, more }),
    row({ id: `${id}/${name}`, what, unit: 'ms', ours, peer }),
  ];
}

/** 1M, 100k. */
function short(count) {
  return count >= 1_000_000 ? `${count / 1_000_000}M` : `${count / 1000}k`;
}

const notes = [
  'A session holds a theme and a number of visits, and whatever its library adds. Heap and external memory after a collection.',
  'This library sweeps by itself, 200 at a time with rests between, and the pause is the longest that a timer of one millisecond had to wait, be it for the sweeping or for the garbage collector. What the machine gave to other processes meanwhile is not counted.',
  "express-session's store forgets expired sessions only when somebody asks for all of them, or for their number: the pause is that of one such call. Otherwise they stay.",
  "@fastify/session's store forgets an expired session only when its own visitor comes again: there is nothing to measure, and the others stay.",
  "Begun by a request: over HTTP, since @fastify/session's store holds the session object, and with it the request that began it; the others hold text.",
];
