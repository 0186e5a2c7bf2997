import { h } from "../ui/dom.ts";
import type { Labels } from "../ui/labels.ts";
import { freshId, type Part, type Settings } from "./parts.ts";

/** So long after the last letter the instructions are taken over, ms. */
const PAUSE_MS = 600;
const SHOWN = 28;

/** The system prompt, applied while it is written. */
export class Prompt implements Part {
  readonly field = "instructions";
  readonly element: HTMLElement;
  readonly #settings: Settings;
  readonly #labels: Labels;
  readonly #text: HTMLTextAreaElement;
  #timer = 0;

  constructor(settings: Settings, labels: Labels, signal: AbortSignal) {
    const id = freshId();
    this.#settings = settings;
    this.#labels = labels;
    this.#text = h("textarea", {
      class: "sn-prompt",
      id,
      rows: "5",
      placeholder: labels.serviceInstructions,
      title: labels.sectionTitle.prompt,
    });
    this.element = h(
      "div",
      {},
      h("label", { for: id, class: "sn-hidden" }, labels.instructions),
      this.#text,
      h("p", { class: "sn-hint" }, labels.instructionsHint),
    );
    this.#text.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#apply(), PAUSE_MS);
    });
    this.#text.addEventListener("change", () => this.#apply());
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  value(): string {
    const [line = ""] = this.#settings.get("instructions").trim().split("\n");
    if (!line) return this.#labels.none;
    return line.length > SHOWN ? `${line.slice(0, SHOWN - 1).trimEnd()}…` : line;
  }

  update(): void {
    this.#text.disabled = this.#settings.get("info").closed;
    const text = this.#settings.get("instructions");
    // What is being written is not taken away; margins are not worth it either.
    if (!this.#timer && this.#text.value.trim() !== text.trim()) this.#text.value = text;
  }

  #apply(): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const text = this.#text.value.trim();
    if (text !== this.#settings.get("instructions")) this.#settings.set("instructions", text);
  }
}
