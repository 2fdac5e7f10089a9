/** The times of the latest event or answer about each product. */

/** The maximum time by which a list may be older than an event. */
const LISTS_LAG_MS = 10_000;
const KEPT_MS = 60_000;

export class Touches {
  readonly #times = new Map<number, number>();
  #count = 0;
  readonly #counts = new Map<number, number>();

  note(id: number): void {
    const now = Date.now();
    // The oldest are first.
    this.#times.delete(id);
    this.#times.set(id, now);
    this.#counts.set(id, ++this.#count);
    for (const [other, time] of this.#times) {
      if (time > now - KEPT_MS) break;
      this.#times.delete(other);
      this.#counts.delete(other);
    }
  }

  /** Returns a number that changes with each note of a product. */
  stamp(id: number): number {
    return this.#counts.get(id) ?? 0;
  }

  /** Returns whether a list requested at a given moment may be older than the latest event or answer. */
  isNewer(id: number, askedAt: number): boolean {
    return (this.#times.get(id) ?? -Infinity) >= askedAt - LISTS_LAG_MS;
  }

  /** Returns whether a product was noted in the past milliseconds. */
  isRecent(id: number, ms: number): boolean {
    return Date.now() - (this.#times.get(id) ?? -Infinity) < ms;
  }
}
