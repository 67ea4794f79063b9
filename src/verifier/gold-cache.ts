/** Remembers what was computed from the last gold answers: a group of samples shares one. */

/** Golds remembered, and their greatest length in characters. */
const CAPACITY = 4096;
const MAX_CHARACTERS = 4096;

export class GoldCache<T> {
  readonly #entries = new Map<string, T>();

  constructor(readonly compute: (gold: string) => T) {}

  get(gold: string): T {
    const known = this.#entries.get(gold);
    if (known !== undefined) return known;
    const value = this.compute(gold);
    if (gold.length <= MAX_CHARACTERS) {
      // A map keeps the order of insertion: the oldest goes first.
      if (this.#entries.size >= CAPACITY) this.#entries.delete(this.#entries.keys().next().value!);
      this.#entries.set(gold, value);
    }
    return value;
  }
}
