// For jest --filter: only the specs that do more under `npm run test:all` than under `npm test`. They import test/support/long.ts,
// or a function that does.
const { readFileSync } = require('node:fs');

const LONG = /\/long'|describeFewStores/;

module.exports = (paths) => ({
  filtered: paths.filter((path) => LONG.test(readFileSync(path, 'utf8'))),
});
