import { h } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import { letter, shuffled } from "./blind.ts";
import { card } from "./card.ts";
import type { Cell, Head } from "./contract.ts";
import type { Track } from "./transport.ts";

/** Rows are filled this far outside what is seen. */
const MARGIN = "600px";
/** Inputs asked for in one message; the kernel takes no more. */
const MOST = 50;

export interface BoardEvents {
  /** Rows that are about to be seen have no content yet. */
  need(inputs: number[]): void;
  play(track: Track, on: boolean): void;
  rate(cell: Cell, kind: "rating" | "note", value: string): void;
}

interface Line {
  input: number;
  element: HTMLElement;
  places: HTMLElement[];
  cells: (Cell | null)[] | null;
}

/** The grid: a row an input, a column a variant. Only rows near the screen have content. */
export class Board {
  readonly element = h("div", { class: "sn-board" });
  readonly #labels: Labels;
  readonly #events: BoardEvents;
  readonly #grid = h("div", { class: "sn-grid", role: "grid" });
  readonly #top = h("div", { class: "sn-line sn-top", role: "row" });
  readonly #empty = h("p", { class: "sn-nothing" });
  readonly #watch: IntersectionObserver;
  #head: Head;
  #lines: Line[] = [];
  #wanted = new Set<number>();
  #blind: number | null = null;
  #at = { line: 0, place: 0 };
  #playing: Track | null = null;

  constructor(head: Head, labels: Labels, events: BoardEvents, signal: AbortSignal) {
    this.#head = head;
    this.#labels = labels;
    this.#events = events;
    this.#grid.setAttribute("aria-label", fill(labels.gallery.title, { name: head.name }));
    this.#grid.append(this.#top);
    this.element.append(this.#grid, this.#empty);
    this.#empty.textContent = labels.gallery.nothing;
    this.#watch = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: MARGIN });
    signal.addEventListener("abort", () => this.#watch.disconnect());
    this.#grid.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows these inputs, in this order; `blind`: a seed by which variants are hidden and shuffled. */
  show(head: Head, inputs: number[], blind: number | null): void {
    this.#head = head;
    this.#blind = blind;
    this.#watch.disconnect();
    this.#wanted.clear();
    for (const { element } of this.#lines) element.remove();
    const names = head.variants.map((name, n) => (blind === null ? name : letter(n)));
    this.#top.replaceChildren(
      h("div", { class: "sn-corner", role: "columnheader" }),
      ...names.map((name) => h("div", { class: "sn-variant", role: "columnheader", title: name }, name)),
    );
    this.element.style.setProperty("--sn-columns", String(head.variants.length));
    this.#lines = inputs.map((input) => this.#line(input));
    this.#grid.append(...this.#lines.map(({ element }) => element));
    this.#empty.hidden = inputs.length > 0;
    this.#at = { line: 0, place: 0 };
    this.#lines[0]?.places[0]?.setAttribute("tabindex", "0");
    for (const { element } of this.#lines) this.#watch.observe(element);
  }

  /** Contents came. */
  fill(rows: Record<string, (Cell | null)[]>): void {
    for (const line of this.#lines) {
      const cells = rows[String(line.input)];
      if (!cells) continue;
      this.#wanted.delete(line.input);
      line.cells = cells;
      for (const place of line.places.keys()) this.#fillPlace(line, place);
    }
  }

  playing(track: Track | null): void {
    if (this.#playing?.key === track?.key && this.#playing?.turn === track?.turn) return;
    this.#playing = track;
    for (const place of this.#grid.querySelectorAll<HTMLElement>("[data-key]")) {
      place.dataset.playing = String(place.dataset.key === track?.key);
    }
  }

  #line(input: number): Line {
    const name = this.#head.inputs[input] ?? "";
    const places = this.#head.variants.map(() =>
      h("div", { class: "sn-cell", role: "gridcell", tabindex: "-1", "aria-busy": "true" }),
    );
    const header = h("div", { class: "sn-input-name", role: "rowheader" }, name);
    const element = h(
      "div",
      { class: "sn-line", role: "row", "data-input": String(input) },
      header,
      ...places,
    );
    for (const [place, cell] of places.entries()) {
      cell.addEventListener("focusin", () => this.#focused(element, place));
    }
    return { input, element, places, cells: null };
  }

  /** The variant at a place of a line. */
  #variant(line: Line, place: number): number {
    if (this.#blind === null) return place;
    return shuffled(this.#head.variants.length, this.#blind + line.input)[place] ?? place;
  }

  #fillPlace(line: Line, place: number): void {
    const element = line.places[place] as HTMLElement;
    const variant = this.#variant(line, place);
    const cell = line.cells?.[variant] ?? null;
    element.removeAttribute("aria-busy");
    if (cell === null) {
      element.replaceChildren(h("p", { class: "sn-quiet" }, this.#labels.gallery.noRun));
      return;
    }
    element.dataset.key = cell.key;
    element.dataset.playing = String(this.#playing?.key === cell.key);
    element.replaceChildren(
      ...card(cell, this.#labels, {
        play: (turn) => this.#events.play(this.#track(line, place, cell, turn), true),
        rate: (value) => this.#rate(line, place, cell, "rating", String(value)),
        note: (text) => this.#rate(line, place, cell, "note", text),
      }),
    );
  }

  #rate(line: Line, place: number, cell: Cell, kind: "rating" | "note", value: string): void {
    if (cell[kind] === value) return;
    cell[kind] = value;
    this.#events.rate(cell, kind, value);
    if (kind === "rating") this.#fillPlace(line, place);
  }

  #track(line: Line, place: number, cell: Cell, turn: number): Track {
    const name = this.#blind === null ? this.#head.variants[place] : letter(place);
    const input = this.#head.inputs[line.input];
    return { key: cell.key, turn, label: `${name} · ${input}` };
  }

  #seen(entries: IntersectionObserverEntry[]): void {
    const lines = new Map(this.#lines.map((line) => [line.element, line]));
    for (const { target, isIntersecting } of entries) {
      const line = lines.get(target as HTMLElement);
      if (line && isIntersecting && line.cells === null) this.#wanted.add(line.input);
    }
    const inputs = [...this.#wanted];
    for (let start = 0; start < inputs.length; start += MOST) {
      this.#events.need(inputs.slice(start, start + MOST));
    }
  }

  // The keyboard

  #focused(element: HTMLElement, place: number): void {
    const line = this.#lines.findIndex((candidate) => candidate.element === element);
    this.#lines[this.#at.line]?.places[this.#at.place]?.setAttribute("tabindex", "-1");
    this.#at = { line, place };
    this.#lines[line]?.places[place]?.setAttribute("tabindex", "0");
  }

  #key(event: KeyboardEvent): void {
    const { key, target } = event;
    if (target instanceof HTMLInputElement) {
      if (key === "Enter" || key === "Escape") this.#move(0, 0);
      return;
    }
    const line = this.#lines[this.#at.line];
    const cell = line?.cells?.[this.#variant(line, this.#at.place)];
    const moves: Record<string, [number, number]> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const move = moves[key];
    const onButton = target instanceof Element && target.closest("button, summary") !== null;
    if (move) this.#move(...move);
    else if (line && cell && (key === " " || key === "Enter") && !onButton) {
      this.#events.play(this.#track(line, this.#at.place, cell, this.#turnOf(cell)), key === " ");
    } else if (line && cell && /^[1-5]$/.test(key)) {
      this.#rate(line, this.#at.place, cell, "rating", key);
      this.#move(0, 0);
    } else if (key === "n" || key === "N") {
      line?.places[this.#at.place]?.querySelector<HTMLInputElement>(".sn-note-text")?.focus();
    } else return;
    event.preventDefault();
  }

  /** The turn the space bar plays: the one that plays, else the first with sound. */
  #turnOf(cell: Cell): number {
    if (this.#playing?.key === cell.key) return this.#playing.turn;
    return Math.max(
      0,
      cell.turns.findIndex((turn) => turn.s > 0),
    );
  }

  #move(down: number, right: number): void {
    const line = Math.min(Math.max(this.#at.line + down, 0), this.#lines.length - 1);
    const place = Math.min(Math.max(this.#at.place + right, 0), this.#head.variants.length - 1);
    this.#lines[line]?.places[place]?.focus();
  }
}
