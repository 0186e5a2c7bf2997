/** Height of a row, px; the style sheet has the same. */
export const ROW = 24;

/** Browsers place nothing exactly beyond some 16 million px. A longer list scrolls in proportion. */
export const TALLEST = 8_000_000;

export interface Part {
  first: number;
  count: number;
  /** Where the first of them is placed, px from the top of the list. */
  top: number;
}

/** Which rows of a long list are near the screen. Pure. */
export class Span {
  total = 0;
  /** Of the part that is seen, px. */
  height = 0;

  /** Of the whole list as it is scrolled, px. */
  get content(): number {
    return Math.min(this.total * ROW, TALLEST);
  }

  /** The rows that are seen, the ones at the edges included. */
  at(scrollTop: number): Part {
    const top = this.#toRows(scrollTop);
    const first = Math.min(Math.floor(top / ROW), Math.max(0, this.total - 1));
    const last = Math.min(Math.ceil((top + this.height) / ROW), this.total);
    return { first, count: Math.max(0, last - first), top: scrollTop + first * ROW - top };
  }

  /** How far to scroll for a row to be seen whole; from where it is when it is already. */
  reveal(index: number, scrollTop: number): number {
    const top = this.#toRows(scrollTop);
    const start = index * ROW;
    const wanted = start < top ? start : Math.max(top, start + ROW - this.height);
    return wanted === top ? scrollTop : this.#fromRows(wanted);
  }

  /** Whether the end of the list is seen. */
  atEnd(scrollTop: number): boolean {
    return scrollTop + this.height >= this.content - ROW / 2;
  }

  get #all(): number {
    return Math.max(0, this.total * ROW - this.height);
  }

  get #scrolled(): number {
    return Math.max(0, this.content - this.height);
  }

  #toRows(scrollTop: number): number {
    const inside = Math.min(Math.max(scrollTop, 0), this.#scrolled);
    return this.#all === this.#scrolled ? inside : (inside / this.#scrolled) * this.#all;
  }

  #fromRows(top: number): number {
    return this.#all === this.#scrolled ? top : (top / this.#all) * this.#scrolled;
  }
}
