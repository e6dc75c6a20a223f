import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

/** CPU time of this thread; of the whole process where Node cannot tell, before 22.15 and 23.9. */
const cpuUsage = (process.threadCpuUsage ?? process.cpuUsage).bind(process);

/**
 * Looks every millisecond how long this thread could not. What the machine gave to others meanwhile is not this thread's doing, and
 * the helper threads of the garbage collector hold nobody up that has a core of its own: a pause is the lesser of the time that passed
 * and the CPU time the thread used.
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
  const { user, system } = cpuUsage();
  return { time: performance.now(), cpu: (user + system) / 1000 };
}
