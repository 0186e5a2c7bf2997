import { h, setText } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";

export interface Wish {
  name: string;
  said: string;
  consent: string;
  accept_cost: boolean;
}

/** The fourth step's fields: name, what is said, who agrees, what it costs. */
export class Form {
  readonly element: HTMLFormElement;
  readonly #labels: Labels;
  readonly #name = h("input", { type: "text", maxlength: "200" });
  readonly #said = h("textarea", { rows: "2", maxlength: "2000" });
  readonly #who = h("input", { type: "text", maxlength: "500" });
  readonly #agreed = h("input", { type: "checkbox" });
  readonly #cost = h("input", { type: "checkbox" });
  readonly #costWords = h("span");
  readonly #create = h("button", { type: "submit", class: "sn-button sn-create" });
  readonly #changed: () => void;
  #disabled = false;

  constructor(labels: Labels, changed: () => void, create: (wish: Wish) => void) {
    const words = labels.lab;
    this.#labels = labels;
    this.#changed = changed;
    this.#who.placeholder = words.whoHint;
    this.#name.placeholder = words.nameHint;
    const field = (label: string, title: string, input: HTMLElement) =>
      h("label", { class: "sn-lab-field", title }, label, input);
    const box = (input: HTMLElement, title: string, label: Node | string) =>
      h("label", { class: "sn-lab-box", title }, input, label);
    const { tips } = words;
    this.#create.title = tips.create;
    this.element = h(
      "form",
      { class: "sn-form" },
      field(words.name, tips.name, this.#name),
      field(words.said, tips.said, this.#said),
      field(words.who, tips.who, this.#who),
      box(this.#agreed, tips.agreed, words.agreed),
      box(this.#cost, tips.cost, this.#costWords),
      this.#create,
    );
    this.element.addEventListener("input", () => {
      this.#update();
      changed();
    });
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#create.disabled) create(this.wish);
    });
  }

  get wish(): Wish {
    const who = this.#who.value.trim();
    return {
      name: this.#name.value.trim(),
      said: this.said,
      consent: who && this.#agreed.checked ? fill(this.#labels.lab.consent, { who }) : "",
      accept_cost: this.#cost.checked,
    };
  }

  get said(): string {
    return this.#said.value.trim();
  }

  /** What is said in the clip, where that is known. */
  say(text: string): void {
    this.#said.value = text;
    this.#changed();
  }

  price(price: string, free: boolean): void {
    setText(this.#costWords, fill(free ? this.#labels.lab.costFree : this.#labels.lab.cost, { price }));
  }

  update(disabled: boolean, working: boolean): void {
    this.#disabled = disabled;
    setText(this.#create, working ? this.#labels.lab.creating : this.#labels.lab.create);
    this.#update();
  }

  #update(): void {
    const { consent, accept_cost } = this.wish;
    this.#create.disabled = this.#disabled || !consent || !accept_cost;
  }
}
