// node bench/document.mjs: the plots and tables of docs/benchmarks-appendix.md, from the runs kept in results/. See README.md.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { plotsOf } from './document/group-plots.mjs';
import { machineTable, tableOf } from './document/tables.mjs';

const at = (path) => new URL(path, import.meta.url);
const PAGE = at('../docs/benchmarks-appendix.md');

/** The oldest Node first: it is the one that the bench runs on by default, and the one that plots show. */
const runs = readdirSync(at('results/'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(at(`results/${name}`), 'utf8')))
  .toSorted((a, b) => a.about.node.localeCompare(b.about.node, 'en', { numeric: true }));

const names = runs[0].groups.map(({ name }) => name);
const tables = names.map((name) => [name, tableOf(name, runs)]);

let page = readFileSync(PAGE, 'utf8');
for (const [name, table] of [['machine', machineTable(runs)], ...tables]) page = fill(page, name, table);
writeFileSync(PAGE, page);
for (const [name, svg] of plotsOf(runs[0])) writeFileSync(at(`../docs/images/bench-${name}.svg`), svg);

/** Puts a table between its two marks. */
function fill(text, name, table) {
  const marks = [`<!-- figures: ${name} -->`, '<!-- end of figures -->'];
  const start = text.indexOf(marks[0]);
  const end = text.indexOf(marks[1], start);
  if (start < 0 || end < 0)
    throw new Error(
      `docs/benchmarks-appendix.md has no place for the figures of ${name}: ${marks.join(' … ')}`,
    );
  return `${text.slice(0, start + marks[0].length)}\n\n${table}\n\n${text.slice(end)}`;
}
