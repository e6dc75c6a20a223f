// A bare Map with so many entries: what finding and removing random ones costs on this machine, whoever keeps them.
import { answer, given } from './answer.mjs';
import { cpuOf } from './cpu.mjs';
import { Population } from './population.mjs';

const FOUND = 2000;
const REMOVED = 100;
const { size } = given();
const population = new Population(null, size);
const map = new Map();

answer({
  fill: () => add(Array.from({ length: size }, (_, n) => n)),
  measure: async () => {
    const figures = {};
    figures.get = await each(FOUND, (id) => {
      const entry = map.get(id);
      entry.count += entry.text.charCodeAt(0);
    });
    const numbers = population.some(REMOVED);
    figures.delete = await each(
      REMOVED,
      (id) => {
        if (!map.delete(id)) throw new Error('an entry is missing');
      },
      numbers,
    );
    add(numbers);
    return figures;
  },
});

function add(numbers) {
  for (const n of numbers) map.set(population.id(n), { count: 0, text: String(n).padEnd(200, '.') });
}

/** Microseconds for each of some random entries. */
function each(times, operation, numbers = population.some(Math.min(times, size / 2))) {
  const ids = numbers.map((n) => population.id(n));
  return cpuOf(ids.length, (i) => operation(ids[i]));
}
