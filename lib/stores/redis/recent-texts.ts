/** Maximum number of texts per generation. At most two generations are kept. */
const GENERATION = 5_000;

/** The texts that were added most recently: the latest 5,000, and up to 5,000 older ones. */
export class RecentTexts {
  #before = new Set<string>();
  #now = new Set<string>();

  has(text: string): boolean {
    return this.#now.has(text) || this.#before.has(text);
  }

  /** `true` when the text is new. */
  add(text: string): boolean {
    if (this.has(text)) return false;
    if (this.#now.size === GENERATION) {
      this.#before = this.#now;
      this.#now = new Set();
    }
    this.#now.add(text);
    return true;
  }
}
