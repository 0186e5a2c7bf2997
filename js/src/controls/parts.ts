import { h, setText } from "../ui/dom.ts";
import type { ControlTraits, Field } from "./traits.ts";

/** What a part of the controls sees of the model. */
export interface Settings {
  get<K extends keyof ControlTraits>(name: K): ControlTraits[K];
  /** Moves a setting. */
  set<K extends keyof ControlTraits>(name: K, value: ControlTraits[K]): void;
}

/** One section: shows what is set, and moves it. */
export interface Part {
  readonly element: HTMLElement;
  readonly field: Field;
  /** Its value in the strip. */
  value(): string;
  /** Shows the model again. */
  update(): void;
  opened?(): void;
}

/** A switch with its words. */
export class Switch {
  readonly element: HTMLLabelElement;
  readonly #box: HTMLInputElement;

  constructor(
    words: (Node | string)[],
    title: string,
    label: string | undefined,
    move: (on: boolean) => void,
  ) {
    this.#box = h("input", { type: "checkbox", role: "switch", class: "sn-switch", "aria-label": label });
    this.element = h("label", { class: "sn-toggle", title }, this.#box, ...words);
    this.#box.addEventListener("change", () => move(this.#box.checked));
  }

  update(on: boolean, disabled: boolean): void {
    this.#box.checked = on;
    this.#box.disabled = disabled;
  }
}

interface SliderOptions {
  label: string;
  title: string;
  unit: string;
  /** Of the slider; larger values can be typed. */
  max: number;
  limit: number;
  step: number;
  move: (value: number) => void;
}

let ids = 0;

/** An id that no other element of the page has. */
export function freshId(): string {
  ids += 1;
  return `sn-${ids}-${Math.floor(performance.now())}`;
}

/** A slider, and beside it the number itself. */
export class Slider {
  readonly element: HTMLElement;
  readonly track: HTMLElement;
  readonly #slider: HTMLInputElement;
  readonly #number: HTMLInputElement;
  readonly #max: number;

  constructor({ label, title, unit, max, limit, step, move }: SliderOptions) {
    const id = freshId();
    this.#max = max;
    this.#slider = h("input", { type: "range", id, class: "sn-range", min: "0", step: String(step), title });
    this.#number = h("input", {
      type: "number",
      class: "sn-number sn-num",
      min: "0",
      max: String(limit),
      step: String(step),
      title,
      "aria-label": unit ? `${label}, ${unit}` : label,
    });
    this.track = h("div", { class: "sn-track" }, this.#slider);
    this.element = h(
      "div",
      { class: "sn-slider" },
      h("label", { for: id, title }, label),
      this.track,
      h("span", { class: "sn-amount" }, this.#number, h("span", { class: "sn-unit" }, unit)),
    );
    this.#slider.addEventListener("input", () => {
      this.#number.value = this.#slider.value;
      move(this.#slider.valueAsNumber);
    });
    this.#number.addEventListener("input", () => writing.add(this.#number));
    this.#number.addEventListener("change", () => {
      writing.delete(this.#number);
      const value = Math.round(this.#number.valueAsNumber);
      if (value >= 0 && value <= limit) move(value);
      this.#show(value >= 0 && value <= limit ? value : this.#slider.valueAsNumber);
    });
  }

  update(value: number, disabled: boolean): void {
    this.#slider.disabled = this.#number.disabled = disabled;
    this.#show(value);
  }

  #show(value: number): void {
    this.#slider.max = String(Math.max(this.#max, value));
    this.#slider.value = String(value);
    showIn(this.#number, String(value), this.#number.disabled);
  }
}

/** Fields with something in them that was not taken over yet. */
const writing = new WeakSet<Element>();

/** A text or number field that moves its setting once it is left or Enter is pressed. */
export function field(
  label: string,
  title: string,
  input: HTMLInputElement | HTMLTextAreaElement,
  commit: (value: string) => void,
): HTMLElement {
  input.title = title;
  input.addEventListener("input", () => writing.add(input));
  input.addEventListener("change", () => {
    writing.delete(input);
    commit(input.value);
  });
  return h("label", { class: "sn-field", title }, h("span", {}, label), input);
}

/** Shows a value in a field, unless somebody is writing there. */
export function showIn(
  input: HTMLInputElement | HTMLTextAreaElement,
  value: string,
  disabled: boolean,
): void {
  input.disabled = disabled;
  if (!writing.has(input) && input.value !== value) input.value = value;
}

/** Why a change was not taken. */
export class Refusal {
  readonly element = h("div", { class: "sn-refused", role: "status" });

  update(word: string, reason: string | undefined): void {
    const text = reason === undefined ? "" : `${word} ${reason}`.trim();
    this.element.hidden = !text;
    setText(this.element, text);
  }
}
