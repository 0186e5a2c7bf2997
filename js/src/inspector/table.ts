import { freshId } from "../controls/parts.ts";
import { h, setAttribute } from "../ui/dom.ts";
import type { Labels } from "../ui/labels.ts";
import type { Feed } from "./feed.ts";
import { COLUMNS, Line } from "./line.ts";
import { ROW, Span } from "./span.ts";

export interface TableEvents {
  select(n: number): void;
  /** Enter: the selected one is to be read. */
  open(): void;
  search(): void;
  failed(error: unknown): void;
}

/** A grid with as many rows on the page as are seen, whatever there is. */
export class Table {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #feed: Feed;
  readonly #events: TableEvents;
  readonly #body = h("div", { class: "sn-rows", role: "rowgroup" });
  readonly #head: HTMLElement;
  readonly #id = freshId();
  readonly #span = new Span();
  readonly #lines = new Map<number, Line>();
  /** Place and record of the selected row. */
  #selected = -1;
  #record = -1;
  #frame = 0;

  constructor(labels: Labels, feed: Feed, events: TableEvents, signal: AbortSignal) {
    this.#labels = labels;
    this.#feed = feed;
    this.#events = events;
    const { columns } = labels.inspector;
    this.#head = h(
      "div",
      { class: "sn-event sn-head", role: "row", "aria-rowindex": "1" },
      ...COLUMNS.map((name, column) =>
        h(
          "span",
          { role: "columnheader", class: `sn-${name}`, "aria-colindex": String(column + 1) },
          h("span", {}, columns[name]),
        ),
      ),
    );
    this.element = h(
      "div",
      {
        class: "sn-grid",
        role: "grid",
        tabindex: "0",
        "aria-label": labels.inspector.events,
        "aria-colcount": String(COLUMNS.length),
      },
      h("div", { role: "rowgroup", class: "sn-headgroup" }, this.#head),
      this.#body,
    );
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.element.addEventListener("keydown", (event) => {
      if (this.#key(event)) event.preventDefault();
    });
    const resized = new ResizeObserver(() => this.update());
    resized.observe(this.element);
    resized.observe(this.#head);
    signal.addEventListener("abort", () => {
      resized.disconnect();
      cancelAnimationFrame(this.#frame);
    });
  }

  /** Shows what the feed has now, with the next picture. */
  update(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      try {
        this.#draw();
      } catch (error) {
        this.#events.failed(error);
      }
    });
  }

  /** Another log or filter: what is shown is no guide to what comes. */
  restart(): void {
    for (const { element } of this.#lines.values()) element.remove();
    this.#lines.clear();
    this.#selected = -1;
    this.update();
  }

  /** No record is selected any more. */
  deselect(): void {
    this.#selected = this.#record = -1;
  }

  /** Of the part that is seen, px: while a theme is changed, or out of the page, nothing has a size. */
  get #height(): number {
    return Math.max(0, this.element.clientHeight - this.#head.offsetHeight);
  }

  /**
   * Where the person is now, in the list as it was drawn: rows that came since cannot have been scrolled past, and a
   * list that follows its end would stay behind.
   */
  #scrolled(): void {
    const height = this.#height;
    if (height === 0) return;
    // A size that has changed scrolls too, and is no wish to look elsewhere.
    this.#span.height = Math.max(height, this.#span.height);
    this.#see(this.#span.atEnd(this.element.scrollTop));
    this.update();
  }

  #see(following: boolean): void {
    const { first, count } = this.#span.at(this.element.scrollTop);
    this.#feed.see(first, count, following);
  }

  #draw(): void {
    const seen = this.#height;
    if (seen === 0) return;
    this.#span.total = this.#feed.total;
    this.#span.height = seen;
    const height = `${this.#span.content}px`;
    if (this.#body.style.height !== height) {
      this.#body.style.height = height;
      setAttribute(this.element, "aria-rowcount", String(this.#span.total + 1));
    }
    if (this.#feed.following) this.element.scrollTop = this.element.scrollHeight;
    this.#see(this.#feed.following);
    const { first, count, top } = this.#span.at(this.element.scrollTop);
    for (const [index, { element }] of this.#lines) {
      if (index >= first && index < first + count) continue;
      element.remove();
      this.#lines.delete(index);
    }
    this.#findSelected();
    for (let index = first; index < first + count; index++) {
      const line = this.#lines.get(index) ?? this.#makeLine(index);
      line.element.style.transform = `translateY(${top + (index - first) * ROW}px)`;
      line.fill(this.#feed.row(index), index === this.#selected);
    }
    const chosen = this.#lines.get(this.#selected)?.element.id;
    setAttribute(this.element, "aria-activedescendant", chosen);
  }

  /** A filter may put the record elsewhere, or before it a row that did not match yet. */
  #findSelected(): void {
    if (this.#record >= 0 && this.#feed.row(this.#selected)?.n !== this.#record) {
      this.#selected = this.#feed.place(this.#record);
    }
  }

  #makeLine(index: number): Line {
    const line = new Line(this.#labels, index, `${this.#id}-${index}`);
    line.element.addEventListener("click", () => this.#choose(index));
    this.#lines.set(index, line);
    // In order, for whoever reads the page without seeing it.
    const after = [...this.#body.children].find(
      (other) => Number((other as HTMLElement).dataset.index) > index,
    );
    this.#body.insertBefore(line.element, after ?? null);
    return line;
  }

  #choose(index: number): void {
    const row = this.#feed.row(index);
    if (!row) return;
    this.#selected = index;
    this.#record = row.n;
    this.#events.select(row.n);
    this.element.scrollTop = this.#span.reveal(index, this.element.scrollTop);
    this.#scrolled();
  }

  #key({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
    if (ctrlKey || metaKey || altKey) return false;
    const { first, count } = this.#span.at(this.element.scrollTop);
    const page = Math.max(1, count - 2);
    const from = this.#selected < 0 ? first - 1 : this.#selected;
    const moves: Record<string, number> = {
      ArrowDown: from + 1,
      ArrowUp: this.#selected < 0 ? first + count - 1 : from - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: this.#span.total - 1,
    };
    const wanted = moves[key];
    if (wanted !== undefined) this.#go(Math.min(Math.max(wanted, 0), this.#span.total - 1));
    else if (key === "Enter") this.#events.open();
    else if (key === "/") this.#events.search();
    else return false;
    return true;
  }

  /** Selects a row, which may have to come from the kernel first. */
  #go(index: number): void {
    if (index < 0) return;
    this.#selected = index;
    this.#record = -1;
    this.element.scrollTop = this.#span.reveal(index, this.element.scrollTop);
    this.#scrolled();
    this.arrived();
  }

  /** Rows came: perhaps the one that was gone to. */
  arrived(): void {
    const row = this.#record < 0 ? this.#feed.row(this.#selected) : undefined;
    if (!row) return;
    this.#record = row.n;
    this.#events.select(row.n);
  }
}
