import { h, setText } from "../ui/dom.ts";
import type { Labels } from "../ui/labels.ts";
import type { Finding } from "./contract.ts";

/** A line of the table: a verdict, a name, what was found, and what to do. */
export class Row {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #verdict = h("span", { class: "sn-verdict" });
  readonly #text = h("span");
  readonly #fix = h("span", { class: "sn-fix" });

  /** `tool`: what it can be tried with. */
  constructor(labels: Labels, check: string, name: string, ...tools: HTMLElement[]) {
    this.#labels = labels;
    this.element = h(
      "li",
      { class: "sn-check", "data-check": check },
      this.#verdict,
      h("b", {}, name),
      h("div", { class: "sn-finding" }, this.#text, this.#fix, ...tools),
    );
  }

  show({ state, text, fix }: Finding): void {
    this.element.dataset.state = state;
    setText(this.#verdict, this.#labels.doctor.states[state]);
    setText(this.#text, text);
    setText(this.#fix, fix);
    this.#fix.hidden = !fix;
  }
}
