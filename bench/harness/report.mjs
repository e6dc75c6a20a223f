import { differences, means, summarize } from './statistics.mjs';

/**
 * Prints one platform. The baseline is the mean of the two bare subjects of the same round; how far the two differ is what the
 * harness cannot tell apart.
 */
export function printResults(platform, subjects, results) {
  const indexOf = (name) => subjects.findIndex((subject) => subject.name === name);
  const rows = results.flatMap(({ route, figures }) => {
    const [one, other] = [figures[indexOf('bare')], figures[indexOf('bare again')]];
    const bare = means(one, other);
    const others = subjects.filter(({ module }) => module !== 'bare');
    return [
      { route, subject: 'bare', total: summarize(bare) },
      { route: '', subject: 'noise, bare against bare', over: summarize(differences(other, one)) },
      ...others.map(({ name }) => {
        const own = figures[indexOf(name)];
        return { route: '', subject: name, total: summarize(own), over: summarize(differences(own, bare)) };
      }),
    ];
  });
  const cells = rows.map(({ route, subject, total, over }) => [route, subject, show(total), show(over, '+')]);
  printTable([[platform, 'subject', 'µs/request', 'over bare'], ...cells]);
}

function show(summary, sign = '') {
  if (summary === undefined) return '';
  const { median, low, high } = summary;
  const plus = sign !== '' && median >= 0 ? sign : '';
  return `${plus}${median.toFixed(1)}  (${low.toFixed(1)} … ${high.toFixed(1)})`;
}

function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('   ')
        .trimEnd(),
    );
  console.log();
}
