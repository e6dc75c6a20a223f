import { noiseOf, row } from '../harness/row.mjs';
import { Child, withChildren } from '../in-process/child.mjs';
import { interleave } from '../in-process/interleave.mjs';

export const title =
  'Sessions in the cookie itself: CPU time to open and to seal, and the size of the cookie';

const OURS = 'nestjs-tessera';
const SIGNED = `${OURS}, signed`;
/** Whom each is compared with, and what open and seal of 200 bytes are to cost at most, as a ratio. */
const PEERS = [
  { peer: 'iron-session', ours: OURS, goal: 1 / 20 },
  { peer: '@fastify/secure-session', ours: OURS, goal: 2 },
  // It signs and hides nothing, so it is compared with what does the same here.
  { peer: 'cookie-session', ours: SIGNED },
];
const REQUESTS = [`${OURS}, request`, `${OURS}, request, signed`];
const AGAIN = 'again';
const names = [OURS, SIGNED, ...PEERS.map(({ peer }) => peer), ...REQUESTS, AGAIN];
const SIZES = [200, 2000];

export async function run({ quick }) {
  const results = [];
  for (const bytes of SIZES) results.push(await measure(bytes, quick));
  const noise = Math.max(...results.map((result) => noiseOf(result.of(OURS).both, result.of(AGAIN).both)));
  return { rows: results.flatMap((result) => rowsOf(result, noise)), noise, notes };
}

function measure(bytes, quick) {
  const [rounds, microseconds] = quick ? [7, 10_000] : [19, 40_000];
  const start = (name) => () => Child.start('sealed', { name: name === AGAIN ? OURS : name, bytes });
  return withChildren(names.map(start), async (children) => {
    const lengths = [];
    for (const child of children) lengths.push((await child.ask('warmUp', { microseconds })).length);
    const values = await interleave(children, rounds, (child) => child.ask('measure'));
    return { bytes, of: (name) => figuresOf(values[names.indexOf(name)], lengths[names.indexOf(name)]) };
  });
}

function figuresOf(rounds, length) {
  const open = rounds.map((round) => round.open);
  const seal = rounds.map((round) => round.seal);
  return { open, seal, both: rounds.map((round) => round.open + round.seal), length };
}

function rowsOf({ bytes, of }, noise) {
  const compared = PEERS.flatMap(({ peer, ours, goal }) => {
    const rowOf = (what, key, goal) =>
      row({
        id: `sealed/${what}-${bytes}/${peer}`,
        what: `${what}, ${bytes} bytes${ours === SIGNED ? ', signed' : ''}`,
        unit: 'µs',
        ours: of(ours)[key],
        peer: { name: peer, values: of(peer)[key] },
        noise,
        goal,
      });
    return [
      rowOf('open+seal', 'both', bytes === 200 ? goal : undefined),
      rowOf('open', 'open'),
      rowOf('seal', 'seal'),
      row({
        id: `sealed/cookie-${bytes}/${peer}`,
        what: `the cookie of ${bytes} bytes${ours === SIGNED ? ', signed' : ''}`,
        unit: 'bytes',
        ours: [of(ours).length],
        peer: { name: peer, values: [of(peer).length] },
        noise: 0,
      }),
    ];
  });
  const requests = REQUESTS.flatMap((name) => {
    const suffix = name.endsWith('signed') ? '-signed' : '';
    return Object.entries({ read: 'open', write: 'seal' }).map(([what, key]) =>
      row({
        id: `sealed/request-${what}-${bytes}${suffix}`,
        what: `all of a request's ${what}, ${bytes} bytes${suffix && ', signed'}`,
        unit: 'µs',
        ours: of(name)[key],
        noise,
      }),
    );
  });
  return [...compared, ...requests];
}

const notes = [
  'Each is called as its own requests call it, JSON, clock and expiry included, in a process of its own.',
  'cookie-session signs and does not encrypt: it is compared with `readableByClient`. It is called through its middleware, which also reads a Cookie header and writes two cookies; the other figures hold no headers.',
  'Cookies are counted by their values; of cookie-session by names and values of both.',
  'All of a request is the session manager from cookie to cookie: what reads opens one; what writes opens one, changes it and seals it anew.',
];
