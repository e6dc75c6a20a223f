/** The value below which a share of the values lie, interpolated. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below === above ? below : below + (above - below) * (at - Math.floor(at));
}

/** Median, quartiles and minimum. */
export function summarize(values) {
  return {
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    min: Math.min(...values),
  };
}

/** Within what the median of endlessly many rounds lies, 19 times of 20: whatever their distribution (order statistics). */
export function medianRange(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const below = Math.max(0, Math.floor((sorted.length - 1.96 * Math.sqrt(sorted.length)) / 2));
  return [sorted[below], sorted[sorted.length - 1 - below]];
}

/** Round by round, so that what slowed a whole round down cancels out. */
export function differences(values, baseline) {
  return values.map((value, round) => value - baseline[round]);
}

export function means(a, b) {
  return a.map((value, round) => (value + b[round]) / 2);
}

/**
 * Round by round. What is left of a small cost may be less than nothing in a round that was disturbed: it then counts as one that
 * any other is a multiple of.
 */
export function ratios(values, baseline) {
  return values.map((value, round) => (baseline[round] > 0 ? value / baseline[round] : Infinity));
}
