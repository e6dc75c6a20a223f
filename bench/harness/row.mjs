import { medianRange, ratios, summarize } from './statistics.mjs';

/**
 * One line of a result. Values are given by round, ours and the peer's of the same round side by side, so that what slowed a whole round
 * down cancels out of the ratio.
 * @param id `<group>/<what>/<peer>`, stable from run to run
 * @param unit of the values, such as `µs`
 * @param ours by round
 * @param peer `{ name, values }`, or nothing for a figure that is compared with nobody
 * @param noise by how much the ratio of a subject to itself was off 1, in this run
 * @param goal the ratio, or without a peer the value, that this is to be at most
 * @param more further figures, by name
 */
export function row({ id, what, unit, ours, peer, noise, goal, more = {} }) {
  const ratio = peer && ratioOf(ratios(ours, peer.values));
  const figure = ratio?.median ?? summarize(ours).median;
  return {
    id,
    what,
    unit,
    ours: summarize(ours),
    peer: peer && { name: peer.name, ...summarize(peer.values) },
    ratio,
    noise,
    verdict: ratio && verdictOn(ratio, noise),
    goal: goal === undefined ? undefined : { atMost: goal, met: figure <= goal },
    more,
  };
}

/** With the `range` in which the median of endlessly many rounds would lie, 19 times of 20. */
function ratioOf(values) {
  return { ...summarize(values), range: medianRange(values) };
}

/** A difference that another process or more rounds might undo is nobody's. */
function verdictOn({ median, range: [low, high] }, noise) {
  if (noise === undefined) return undefined;
  if (Math.abs(median - 1) <= noise || (low <= 1 && high >= 1)) return 'draw';
  return median < 1 ? 'less' : 'more';
}

/** By how much the ratio of a subject to itself may be off 1, both processes and rounds considered: nothing below that is told apart. */
export function noiseOf(once, again) {
  return Math.max(...medianRange(ratios(once, again)).map((ratio) => Math.abs(ratio - 1)));
}
