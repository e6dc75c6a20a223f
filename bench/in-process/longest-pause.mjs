import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Looks every millisecond how long this process could not. What the machine gave to others meanwhile is not this process's doing, and
 * what its helper threads did meanwhile held nobody up: a pause is the lesser of the time that passed and the CPU time it used.
 */
export class LongestPause {
  #busy = 0;
  #passed = 0;
  #collection = 0;
  #last = now();
  #timer = setInterval(() => this.#look(), 1);
  #collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) this.#collection = Math.max(this.#collection, duration);
  });

  constructor() {
    this.#collections.observe({ entryTypes: ['gc'] });
  }

  #look() {
    const at = now();
    const passed = at.time - this.#last.time;
    const used = at.cpu - this.#last.cpu;
    this.#busy = Math.max(this.#busy, Math.min(passed, used));
    this.#passed = Math.max(this.#passed, passed);
    this.#last = at;
  }

  /** The longest pause, time between two looks, and step of the garbage collector, in milliseconds. */
  async end() {
    // A pause that is under way is seen when it is over.
    await pause(5);
    clearInterval(this.#timer);
    this.#collections.disconnect();
    return { busy: this.#busy, passed: this.#passed, collection: this.#collection };
  }
}

function now() {
  const { user, system } = process.cpuUsage();
  return { time: performance.now(), cpu: (user + system) / 1000 };
}
