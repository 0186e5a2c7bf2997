import { h } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import type { Head } from "./contract.ts";

/** Waits until nobody types any more, ms. */
const TYPING_MS = 200;

export interface Choice {
  text: string;
  sort: string;
  variant: number;
  down: boolean;
  repeat: number;
  reference: number;
  blind: boolean;
}

/** What to show: filter, order, repeat, what answers are marked against, blind. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly #filter: HTMLInputElement;
  readonly #sort: HTMLSelectElement;
  readonly #repeat: HTMLSelectElement;
  readonly #against: HTMLSelectElement;
  readonly #blind: HTMLInputElement;

  constructor(head: Head, labels: Labels, changed: () => void, signal: AbortSignal) {
    const { gallery: texts } = labels;
    this.#filter = h("input", { type: "search", class: "sn-filter", maxlength: "500" });
    this.#filter.placeholder = texts.filter;
    this.#filter.setAttribute("aria-label", texts.filter);
    this.#filter.title = texts.tips.filter;
    let timer = 0;
    this.#filter.addEventListener("input", () => {
      clearTimeout(timer);
      timer = window.setTimeout(changed, TYPING_MS);
    });
    signal.addEventListener("abort", () => clearTimeout(timer));
    const orders: [string, string][] = [["", texts.asPlanned]];
    for (const metric of head.metrics) {
      const name = metric.replaceAll("_", " ").replace(".", ": ");
      orders.push([`-1|down|${metric}`, fill(texts.spread, { metric: name })]);
      for (const [n, variant] of head.variants.entries()) {
        orders.push([`${n}|up|${metric}`, fill(texts.lowest, { metric: name, variant })]);
        orders.push([`${n}|down|${metric}`, fill(texts.highest, { metric: name, variant })]);
      }
    }
    this.#sort = select(orders, changed);
    this.#repeat = select(
      Array.from({ length: head.repeats }, (_, n) => [String(n), String(n + 1)]),
      changed,
    );
    const references = head.variants.map((name, n): [string, string] => [String(n), name]);
    this.#against = select([["-1", texts.unmarked], ...references], changed);
    this.#against.value = head.variants.length > 1 ? "0" : "-1";
    this.#blind = h("input", { type: "checkbox", class: "sn-switch", role: "switch" });
    this.#blind.addEventListener("change", changed);
    this.element = h(
      "div",
      { class: "sn-toolbar" },
      this.#filter,
      labelled(texts.order, texts.tips.order, this.#sort),
      ...(head.repeats > 1 ? [labelled(texts.repeat, texts.tips.repeat, this.#repeat)] : []),
      labelled(texts.against, texts.tips.against, this.#against),
      h("label", { class: "sn-toggle", title: texts.blindTitle }, this.#blind, texts.blind),
    );
  }

  get choice(): Choice {
    const blind = this.#blind.checked;
    // What gives the variants away is hidden with them.
    this.#against.disabled = blind;
    const [variant = "-1", direction = "up", sort = ""] = blind ? [] : this.#sort.value.split("|");
    this.#sort.disabled = blind;
    return {
      text: this.#filter.value.trim(),
      sort,
      variant: Number(variant),
      down: direction === "down",
      repeat: Number(this.#repeat.value || 0),
      reference: blind ? -1 : Number(this.#against.value),
      blind,
    };
  }
}

function select(options: [string, string][], changed: () => void): HTMLSelectElement {
  const element = h("select", { class: "sn-select" });
  element.append(...options.map(([value, text]) => h("option", { value }, text)));
  element.addEventListener("change", changed);
  return element;
}

function labelled(text: string, title: string, control: HTMLElement): HTMLElement {
  return h("label", { class: "sn-labelled", title }, h("span", {}, text), control);
}
