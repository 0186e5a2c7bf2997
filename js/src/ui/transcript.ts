import type { Row } from "../envelope.ts";
import { h, setText } from "./dom.ts";
import { Heard } from "./heard.ts";
import { fill, type Labels, seconds } from "./labels.ts";

/** Pixels from the end within which the list keeps following it. */
const NEAR_END = 24;

interface Shown {
  row: Row;
  element: HTMLElement;
  /** Characters shown as heard. */
  heard: number | null;
}

/** Both sides of the conversation, row by row. */
export class Transcript {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #list: HTMLElement;
  readonly #empty: HTMLElement;
  /** What a screen reader is told: finished rows, once each. */
  readonly #spoken = h("div", { class: "sn-hidden", "aria-live": "polite" });
  readonly #rows = new Map<string, Shown>();
  readonly #heard = new Heard();
  /** Whether the list shows its end, and keeps showing it. */
  #follows = true;

  constructor(labels: Labels) {
    this.#labels = labels;
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
    for (const { element } of this.#rows.values()) element.remove();
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
    for (const { row, element, heard } of this.#rows.values()) {
      const speaks = row.spoken.some((part) => part.item === item);
      if (speaks && this.#heard.of(row) !== heard) this.#put(row, element);
    }
  }

  #follow(): void {
    if (this.#follows) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #put(row: Row, element = this.#rows.get(row.id)?.element ?? this.#create()): void {
    const heard = this.#heard.of(row);
    this.#fill(element, row, heard);
    this.#rows.set(row.id, { row, element, heard });
    this.#empty.remove();
    const next = this.#follower(row);
    if (element.nextSibling !== next || !element.parentNode) this.#list.insertBefore(element, next);
  }

  /** The element of the first row after `row`. */
  #follower(row: Row): HTMLElement | null {
    let found: Shown | null = null;
    for (const shown of this.#rows.values()) {
      if (shown.row.order > row.order && (!found || shown.row.order < found.row.order)) found = shown;
    }
    return found?.element ?? null;
  }

  #create(): HTMLElement {
    return h(
      "div",
      { class: "sn-row" },
      h("div", { class: "sn-who" }),
      h("div", { class: "sn-text" }),
      h("div", { class: "sn-meta sn-num" }),
    );
  }

  #fill(element: HTMLElement, row: Row, heard: number | null): void {
    const [who, text, meta] = element.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
    element.dataset.row = row.id;
    element.dataset.who = row.who;
    element.dataset.state = row.state;
    setText(who, this.#labels[row.who]);
    text.replaceChildren(...this.#words(row, heard));
    meta.replaceChildren(...this.#figures(row));
  }

  #words({ text, state, cut_ms, note }: Row, heard: number | null): (Node | string)[] {
    // Characters as the kernel counts them: code points, not UTF-16 units.
    const heardText = heard === null ? text : [...text].slice(0, heard).join("");
    const words: (Node | string)[] = [h("span", { class: "sn-heard" }, heardText)];
    if (heardText !== text) words.push(h("span", { class: "sn-unheard" }, text.slice(heardText.length)));
    const { cutOff, cut: wasCut, failedRow } = this.#labels;
    let mark = "";
    if (state === "interrupted") mark = cut_ms === null ? wasCut : fill(cutOff, { s: seconds(cut_ms) });
    if (state === "failed") mark = note ?? failedRow;
    if (mark) words.push(" ", h("span", { class: "sn-mark" }, mark));
    if (note && state !== "failed") words.push(h("div", { class: "sn-row-note" }, note));
    return words;
  }

  #figures({ who, state, latency_ms }: Row): Node[] {
    const { speakingNow, latency, latencyTitle } = this.#labels;
    if (who === "you" && state === "live") return [h("span", { class: "sn-live" }, speakingNow)];
    if (latency_ms === null) return [];
    return [h("span", { title: latencyTitle }, fill(latency, { s: seconds(latency_ms, 2) }))];
  }
}
