import type { Row } from "../envelope.ts";
import { h, setText } from "./dom.ts";
import { Heard } from "./heard.ts";
import type { Labels } from "./labels.ts";
import { type RowEvents, RowView } from "./row.ts";
import type { Playing } from "./strip.ts";

/** Pixels from the end within which the list keeps following it. */
const NEAR_END = 24;

interface Shown {
  row: Row;
  view: RowView;
  /** Characters shown as heard. */
  heard: number | null;
}

/** Both sides of the conversation, row by row. */
export class Transcript {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #events: RowEvents;
  readonly #list: HTMLElement;
  readonly #empty: HTMLElement;
  /** What a screen reader is told: finished rows, once each. */
  readonly #spoken = h("div", { class: "sn-hidden", "aria-live": "polite" });
  readonly #rows = new Map<string, Shown>();
  readonly #heard = new Heard();
  /** Whether the list shows its end, and keeps showing it. */
  #follows = true;

  constructor(labels: Labels, events: RowEvents) {
    this.#labels = labels;
    this.#events = events;
    this.#empty = h("div", { class: "sn-empty" }, h("p", {}, labels.empty), h("p", {}, labels.emptyHold));
    // The list itself is silent: a live row changes several times a second.
    const attributes = { class: "sn-log", role: "log", "aria-live": "off", "aria-label": labels.transcript };
    this.#list = h("div", { ...attributes, tabindex: "0" }, this.#empty);
    this.element = h("div", { class: "sn-transcript" }, this.#list, this.#spoken);
    this.#list.addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = this.#list;
      this.#follows = scrollHeight - scrollTop - clientHeight < NEAR_END;
    });
    // A narrower panel breaks its lines anew.
    new ResizeObserver(() => this.#follow()).observe(this.#list);
  }

  /** Replaces everything. */
  reset(rows: Row[]): void {
    for (const { view } of this.#rows.values()) view.element.remove();
    this.#rows.clear();
    for (const row of rows) this.#put(row);
    this.#follow();
  }

  /** A new row, or a new version of one. */
  upsert(row: Row): void {
    const before = this.#rows.get(row.id)?.row;
    this.#put(row);
    this.#follow();
    if (row.state !== "live" && before?.state !== row.state && row.text) {
      setText(this.#spoken, `${this.#labels[row.who]}: ${row.text}`);
    }
  }

  /** The playhead has moved to `ms` of an item. */
  played(item: string, ms: number): void {
    this.#heard.move(item, ms);
    for (const { row, heard } of this.#rows.values()) {
      const speaks = row.spoken.some((part) => part.item === item);
      if (speaks && this.#heard.of(row) !== heard) this.#put(row);
    }
  }

  /** What the sound of a row does, and where it is, s. */
  playing(row: string, playing: Playing, at: number): void {
    this.#rows.get(row)?.view.playing(playing, at);
  }

  get rows(): Row[] {
    return [...this.#rows.values()].map(({ row }) => row).sort((a, b) => a.order - b.order);
  }

  /** The conversation as one would write it down. */
  get text(): string {
    const said = this.rows.filter((row) => row.text);
    return said.map((row) => `${this.#labels[row.who]}: ${row.text}\n`).join("\n");
  }

  #follow(): void {
    if (this.#follows) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #put(row: Row): void {
    const heard = this.#heard.of(row);
    const view = this.#rows.get(row.id)?.view ?? new RowView(this.#labels, this.#events);
    view.update(row, heard);
    this.#rows.set(row.id, { row, view, heard });
    this.#empty.remove();
    const next = this.#follower(row);
    if (view.element.nextSibling !== next || !view.element.parentNode) {
      this.#list.insertBefore(view.element, next);
    }
  }

  /** The element of the first row after `row`. */
  #follower(row: Row): HTMLElement | null {
    let found: Shown | null = null;
    for (const shown of this.#rows.values()) {
      if (shown.row.order > row.order && (!found || shown.row.order < found.row.order)) found = shown;
    }
    return found?.view.element ?? null;
  }
}
