/** The value below which a share of the values lie, interpolated. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
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

/** Round by round, so that what slowed a whole round down cancels out. */
export function differences(values, baseline) {
  return values.map((value, round) => value - baseline[round]);
}

export function means(a, b) {
  return a.map((value, round) => (value + b[round]) / 2);
}
