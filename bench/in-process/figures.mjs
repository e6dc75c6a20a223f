import { given } from './answer.mjs';

const { served } = given();

/** What a round took, by what was done. */
export class Figures {
  #sums = new Map();

  /**
   * Does one operation after the other. Counts the CPU time of this process, or, where another does the work, the time until it answered. Needs
   * --expose-gc.
   * @param count of what has been done then
   * @param before operations that are not counted, and come just before
   */
  async time(what, count, operations, before = []) {
    // What was prepared is not for this to clear away.
    globalThis.gc({ type: 'minor' });
    for (const operation of before) await operation();
    const cpu = process.cpuUsage();
    const begun = performance.now();
    for (const operation of operations) await operation();
    const passed = (performance.now() - begun) * 1000;
    const { user, system } = process.cpuUsage(cpu);
    const sum = this.#sums.get(what) ?? { count: 0, microseconds: 0 };
    this.#sums.set(what, {
      count: sum.count + count,
      microseconds: sum.microseconds + (served ? passed : user + system),
    });
  }

  /** Microseconds each. */
  means() {
    return Object.fromEntries(
      Array.from(this.#sums, ([what, { count, microseconds }]) => [what, microseconds / count]),
    );
  }
}
