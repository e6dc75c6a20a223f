// A reporter of Jest that ends the output with the block "Not run": how many tests were skipped, by reason. It also writes
// these lines to the file that NOT_RUN_FILE names.

const { writeFileSync } = require('node:fs');

/** How notRun() of lib/testing puts the reason into the title of what is skipped. */
const REASON = / \[not run: (.*)\]$/;

module.exports = class NotRunReporter {
  #counts = new Map();
  #isChosenByTitle;
  #isWatching;
  #file;

  constructor({ testNamePattern, watch, watchAll }) {
    this.#isChosenByTitle = Boolean(testNamePattern);
    this.#isWatching = watch || watchAll;
    this.#file = process.env.NOT_RUN_FILE;
    // Not for the runs of Jest that tests start.
    delete process.env.NOT_RUN_FILE;
  }

  onRunStart() {
    this.#counts.clear();
  }

  onTestResult(_, { testFilePath, testResults }) {
    for (const { status, ancestorTitles, title } of testResults) {
      if (status !== 'pending' && status !== 'todo') continue;
      const reason = reasonIn([...ancestorTitles, title]);
      // With -t Jest skips all other titles, which needs no mention.
      if (reason === null && this.#isChosenByTitle) continue;
      const key = reason ?? `no reason given: ${testFilePath}`;
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
  }

  onRunComplete() {
    if (this.#counts.size === 0) return;
    // Jest prints its summary after all reporters have been called, and this block belongs below it.
    if (this.#isWatching) this.#print();
    else process.once('exit', () => this.#print());
  }

  #print() {
    const rows = [...this.#counts].sort(([, one], [, other]) => other - one);
    const width = String(rows[0][1]).length;
    const lines = rows.map(([reason, count]) => `  ${String(count).padStart(width)}  ${reason}\n`);
    process.stderr.write(`\nNot run\n${lines.join('')}`);
    if (this.#file) writeFileSync(this.#file, lines.join(''));
  }
};

/** The outermost group that is skipped decides. */
function reasonIn(titles) {
  for (const title of titles) {
    const found = REASON.exec(title);
    if (found !== null) return found[1];
  }
  return null;
}
