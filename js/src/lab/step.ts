import { h, setText } from "../ui/dom.ts";
import type { Labels } from "../ui/labels.ts";
import { Notes } from "../ui/notes.ts";

/** One step of the way: its number, its words, what is done in it, and the same as a line of code. */
export class Step {
  readonly element: HTMLElement;
  readonly notes: Notes;
  readonly #code = h("code", { class: "sn-code" });

  constructor(labels: Labels, number: number, title: string, ...body: Node[]) {
    this.notes = new Notes(labels);
    const heading = h(
      "div",
      { class: "sn-step-head" },
      h("span", { class: "sn-step-number sn-num", "aria-hidden": "true" }, String(number)),
      h("h3", {}, title),
    );
    this.element = h(
      "section",
      { class: "sn-step", "aria-label": title },
      heading,
      this.notes.element,
      ...body,
      h("div", { class: "sn-codeline" }, this.#code),
    );
  }

  code(text: string): void {
    setText(this.#code, text);
  }
}

/** A text as Python writes it. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
