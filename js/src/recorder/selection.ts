/** Handles come no nearer to each other, ms. */
export const LEAST_MS = 500;
const GRID_MS = 10;

/** Which part of a recording is meant, ms. Pure. */
export class Selection {
  start = 0;
  end = 0;
  readonly total: number;
  readonly #longest: number;

  /** All of it, as far as that is not longer than `longest`. */
  constructor(total: number, longest: number) {
    this.total = total;
    this.#longest = longest;
    this.end = Math.min(total, longest);
  }

  get length(): number {
    return this.end - this.start;
  }

  moveStart(to: number): void {
    this.start = this.#within(to, 0, Math.max(0, this.end - LEAST_MS));
    // What would be too long follows.
    this.end = Math.min(this.end, this.start + this.#longest);
  }

  moveEnd(to: number): void {
    this.end = this.#within(to, Math.min(this.total, this.start + LEAST_MS), this.total);
    this.start = Math.max(this.start, this.end - this.#longest);
  }

  #within(value: number, low: number, high: number): number {
    return Math.min(Math.max(Math.round(value / GRID_MS) * GRID_MS, low), high);
  }
}
