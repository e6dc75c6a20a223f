// The table of docs/stores.md that says what the tests of each client prove.
//   node test/stores/sql/promises.mjs --check result.json …   fails unless the table is what the results of Jest say
//   node test/stores/sql/promises.mjs --write result.json …   writes it
// The results must be those of all specs of SQL clients, as `TESTS=all npx jest test/stores --json --outputFile=result.json` makes them.
import { readFileSync, writeFileSync } from 'node:fs';

const GUIDE = new URL('../../../docs/stores.md', import.meta.url);
const BEGIN = '<!-- promises -->';
const END = '<!-- /promises -->';

/** The columns, and the titles of the groups that prove each. What matches none of them is about the calls. */
const COLUMNS = new Map([
  ['Calls', null],
  ['Principals', /^principals/],
  ['Listing', /^enumeration/],
  ['Sweeping', /^sweeping/],
  ['Processes', /^between processes/],
  ['Ends', /^watching/],
  ['Apart', /^(keeps a session write out of a transaction|keeps session writes when a transaction)/],
  ['Refused', /^while it is refused connections/],
  ['Frozen', /^while its server is frozen/],
  ['Half-open', /^while its connections are half-open/],
  ['Too late', /^while answers come too late/],
  ['Killed', /^while its server is dead/],
  ['Lost', /^F8: is back within 10 seconds when its connections are black-holed/],
]);

const TYPEORM = {
  postgres: 'TypeORM on PostgreSQL',
  mariadb: 'TypeORM on MariaDB',
  sqlite: 'TypeORM on SQLite',
};

/** The client that a test is about, or null. */
function clientOf(titles) {
  const text = titles.join(' › ');
  const through = /SqlSessionStore through ([^›,]+?)(?: ›|,|$)/.exec(text);
  if (through) return through[1];
  if (!/TypeOrmSessionStore|sessions beside the application|on a failing/.test(text)) return null;
  const database = /(postgres|mariadb|sqlite)/i.exec(text);
  return database && TYPEORM[database[1].toLowerCase()];
}

/** The column that a test is for. A group within a group counts as both. */
function columnsOf(titles) {
  const found = [...COLUMNS].filter(([, title]) => title && titles.some((each) => title.test(each)));
  return found.length > 0 ? found.map(([name]) => name) : ['Calls'];
}

function tableOf(files) {
  const rows = new Map();
  for (const { ancestorTitles, title, status } of files.flatMap(assertionsOf)) {
    const titles = [...ancestorTitles, title];
    const client = clientOf(titles);
    if (client === null) continue;
    if (!rows.has(client)) rows.set(client, new Map());
    const cells = rows.get(client);
    for (const column of columnsOf(titles)) {
      const counts = cells.get(column) ?? { passed: 0, failed: 0 };
      if (status in counts) counts[status]++;
      cells.set(column, counts);
    }
  }
  const lines = [...rows]
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([client, cells]) => [
      client,
      ...[...COLUMNS.keys()].map((column) => {
        const { passed, failed } = cells.get(column) ?? { passed: 0, failed: 0 };
        return failed > 0 ? '✗' : passed > 0 ? '✓' : '–';
      }),
    ]);
  const all = [['', ...COLUMNS.keys()], ...lines];
  const widths = all[0].map((_, n) => Math.max(...all.map((cells) => cells[n].length)));
  const [head, ...body] = all.map(
    (cells) => `| ${cells.map((cell, n) => cell.padEnd(widths[n])).join(' | ')} |`,
  );
  return [head, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body].join('\n');
}

function assertionsOf(file) {
  const { testResults } = JSON.parse(readFileSync(file, 'utf8'));
  return testResults.flatMap(({ assertionResults }) => assertionResults);
}

const [mode, ...files] = process.argv.slice(2);
const guide = readFileSync(GUIDE, 'utf8');
const begin = guide.indexOf(BEGIN) + BEGIN.length;
const wanted = `${guide.slice(0, begin)}\n\n${tableOf(files)}\n\n${guide.slice(guide.indexOf(END))}`;
if (mode === '--write') {
  writeFileSync(GUIDE, wanted);
} else if (guide !== wanted) {
  console.error(
    `docs/stores.md does not say what the tests of SQL clients have proven. They say:\n\n${tableOf(files)}`,
  );
  process.exitCode = 1;
}
