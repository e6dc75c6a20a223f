// A bare Map with so many entries: what finding and removing random ones costs on this machine, whoever keeps them.
import { answer, given } from './answer.mjs';
import { Figures } from './figures.mjs';
import { Population } from './population.mjs';

const FOUND = 400;
const REMOVED = 100;
const BATCHES = 4;
const { size } = given();
const population = new Population(null, size);
const map = new Map();

answer({
  fill: () => add(Array.from({ length: size }, (_, n) => n)),
  /** As `growth.mjs` does it. */
  measure: async () => {
    const figures = new Figures();
    for (let batch = 0; batch < BATCHES; batch++) {
      const found = population.some(FOUND);
      await figures.time('get', FOUND, found.map(get));
      const removed = population.some(REMOVED);
      await figures.time('delete', REMOVED, removed.map(remove));
      add(removed);
    }
    return figures.means();
  },
});

function add(numbers) {
  for (const n of numbers) map.set(population.id(n), { count: 0, text: String(n).padEnd(200, '.') });
}

function get(n) {
  const id = population.id(n);
  return async () => {
    const entry = map.get(id);
    entry.count += entry.text.charCodeAt(0);
  };
}

function remove(n) {
  const id = population.id(n);
  return async () => {
    if (!map.delete(id)) throw new Error('an entry is missing');
  };
}
