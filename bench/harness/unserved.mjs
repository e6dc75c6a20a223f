import { findingBuild } from './against.mjs';
import { Child } from '../in-process/child.mjs';

/** One subject in a process of its own, which asks itself without sockets. Has what `runRounds` needs of a `Server`. */
export class Unserved {
  #child;

  constructor(child, name) {
    this.#child = child;
    this.name = name;
  }

  static async start({ name, module, options, build }, platform) {
    const given = { module, platform, options };
    return new Unserved(await Child.start('subject', given, findingBuild(build)), name);
  }

  visit({ name: route }) {
    return {
      prepare: () => this.#ask('prepare', { route }),
      measure: (count) => this.#ask('measure', { route, count }),
      verify: () => this.#ask('verify', { route }),
    };
  }

  stop() {
    return this.#child.stop();
  }

  #ask(task, parameters) {
    return this.#child.ask(task, parameters).catch((error) => {
      throw new Error(`${this.name}: ${error.message}`);
    });
  }
}
