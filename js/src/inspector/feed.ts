import type { Filter, Look, Row, RowsMessage } from "./wire.ts";

/** Rows asked for beyond each edge of what is seen. */
const BEYOND = 30;
const MOST_ROWS = 200;
/** Rows kept; those that are far away are asked for again. */
const KEPT = 2000;

/**
 * The rows the page has, and what it asks the kernel for. Pure.
 *
 * One question is open at a time. Whoever looks somewhere else is answered at once; then the question stays open until
 * the kernel has something new. So a page that is hidden or slow is told nothing.
 */
export class Feed {
  total = 0;
  /** Records there are, and those the rows are made of: more come while it is paused. */
  records = 0;
  taken = 0;
  filter: Filter = { side: "", type: "", text: "", fold: true };
  paused = false;
  /** Whether the end is shown, wherever it is. */
  following = true;
  readonly #ask: (look: Look) => void;
  readonly #rows = new Map<number, Row>();
  #first = 0;
  #count = 20;
  #n = 0;
  /** The first question with this filter. */
  #valid = 0;
  #open: { look: Look; stale: boolean } | null = null;
  #hidden = false;

  constructor(ask: (look: Look) => void) {
    this.#ask = ask;
  }

  row(index: number): Row | undefined {
    return this.#rows.get(index);
  }

  /** The place of a record's row, -1 where it is not known. */
  place(n: number): number {
    for (const [index, row] of this.#rows) if (row.n === n) return index;
    return -1;
  }

  /** What is seen now. */
  see(first: number, count: number, following: boolean): void {
    const same = following ? this.following : !this.following && first === this.#first;
    const larger = count > this.#count;
    this.#first = first;
    this.#count = count;
    this.following = following;
    if (!same || larger) this.#look();
  }

  /** Begins anew: another filter, or another log. */
  restart(filter: Partial<Filter> = {}): void {
    this.filter = { ...this.filter, ...filter };
    this.#rows.clear();
    this.#valid = this.#n + 1;
    this.#open = null;
    this.#first = 0;
    this.#look();
  }

  pause(paused: boolean): void {
    this.paused = paused;
    this.#open = null;
    this.#look();
  }

  /** Nobody looks at the page, or somebody does again. */
  hide(hidden: boolean): void {
    this.#hidden = hidden;
    this.#open = null;
    if (!hidden) this.#look();
  }

  /** Takes in an answer; whether it is of use. */
  take({ to, total, records, taken, start, rows }: RowsMessage): boolean {
    if (to < this.#valid) return false;
    this.total = total;
    this.records = records;
    this.taken = taken;
    rows.forEach((row, place) => {
      this.#rows.set(start + place, row);
    });
    this.#forget();
    if (to === this.#n) {
      const stale = this.#open?.stale ?? false;
      this.#open = null;
      this.#question(!stale);
    }
    return true;
  }

  #look(): void {
    // An answer that comes at once is waited for, so that scrolling does not flood the kernel.
    if (this.#open && !this.#open.look.wait) this.#open.stale = true;
    else this.#question(false);
  }

  #question(wait: boolean): void {
    if (this.#hidden) return;
    this.#n += 1;
    const count = Math.min(this.#count + 2 * BEYOND, MOST_ROWS);
    const start = this.following ? null : Math.max(0, this.#first - BEYOND);
    const look = { n: this.#n, start, count, wait, paused: this.paused, ...this.filter };
    this.#open = { look, stale: false };
    this.#ask(look);
  }

  #forget(): void {
    if (this.#rows.size <= KEPT) return;
    const middle = this.following ? this.total : this.#first;
    for (const index of this.#rows.keys()) {
      if (Math.abs(index - middle) > KEPT / 4) this.#rows.delete(index);
    }
  }
}
