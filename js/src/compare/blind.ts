import { h, setAttribute, setText } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import type { Choice, CompareTraits, Score } from "./traits.ts";
import type { Transport } from "./transport.ts";

const KEYS: Record<string, Choice | "a?" | "b?" | "undo"> = {
  a: "a?",
  b: "b?",
  "1": "a",
  "2": "b",
  "0": "tie",
  Backspace: "undo",
};

export interface BlindEvents {
  judge(number: number, choice: Choice): void;
  undo(): void;
  begin(): void;
}

/** Two sounds without names; which is better? The names come at the end, with how sure the result is. */
export class Blind {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #transport: Transport;
  readonly #events: BlindEvents;
  readonly #count = h("span", { class: "sn-hint sn-num", role: "status" });
  readonly #hint = h("p", { class: "sn-hint" });
  readonly #text = h("p", { class: "sn-script" });
  readonly #sides: Record<"a" | "b", HTMLButtonElement>;
  readonly #choices: HTMLElement;
  readonly #result = h("div", { class: "sn-result" });
  readonly #trial: HTMLElement;
  readonly #undo: HTMLButtonElement;
  #number = -1;
  #total = 0;

  constructor(labels: Labels, transport: Transport, events: BlindEvents) {
    const words = labels.compare;
    this.#labels = labels;
    this.#transport = transport;
    this.#events = events;
    const { tips } = words;
    const button = (label: string, title: string, key: string, kind: string, pressed: () => void) => {
      const made = h("button", { type: "button", class: kind, title }, label, h("kbd", {}, key));
      made.addEventListener("click", pressed);
      return made;
    };
    this.#sides = {
      a: button("A", tips.a, "A", "sn-side", () => this.#listen("a")),
      b: button("B", tips.b, "B", "sn-side", () => this.#listen("b")),
    };
    this.#choices = h(
      "div",
      { class: "sn-dockrow" },
      button(words.aBetter, tips.judge, "1", "sn-button", () => this.#judge("a")),
      button(words.tie, tips.judge, "0", "sn-button", () => this.#judge("tie")),
      button(words.bBetter, tips.judge, "2", "sn-button", () => this.#judge("b")),
    );
    this.#undo = button(words.undo, tips.undo, "⌫", "sn-button", () => events.undo());
    this.#choices.append(this.#undo);
    const sides = h("div", { class: "sn-sides" }, this.#sides.a, this.#sides.b);
    this.#trial = h("div", { class: "sn-trial" }, this.#text, sides, this.#choices);
    this.#hint.append(words.blindHint, " ", this.#count);
    this.element = h("div", { class: "sn-blind", tabindex: "-1" }, this.#hint, this.#trial, this.#result);
    this.element.addEventListener("keydown", (event) => {
      const act = event.ctrlKey || event.metaKey ? undefined : KEYS[event.key];
      if (!act) return;
      event.preventDefault();
      if (act === "a?" || act === "b?") this.#listen(act === "a?" ? "a" : "b");
      else if (act === "undo") events.undo();
      else this.#judge(act);
    });
  }

  get open(): boolean {
    return this.#number < this.#total;
  }

  show({ number, total, text }: CompareTraits["trial"], scores: readonly Score[]): void {
    if (number !== this.#number) {
      // A and B are others now.
      this.#transport.stop();
      this.#transport.forget("a", "b");
    }
    this.#number = number;
    this.#total = total;
    setText(this.#text, text);
    setText(this.#count, fill(this.#labels.compare.count, { n: Math.min(number + 1, total), total }));
    this.#trial.hidden = !this.open;
    this.#hint.hidden = !this.open;
    this.#undo.disabled = number === 0;
    this.#result.replaceChildren(...(this.open ? [] : this.#table(scores)));
    this.update();
  }

  update(): void {
    const { cell, playing } = this.#transport;
    for (const side of ["a", "b"] as const) {
      setAttribute(this.#sides[side], "aria-pressed", String(playing && cell === side));
    }
  }

  #listen(side: "a" | "b"): void {
    if (!this.open) return;
    if (this.#transport.playing && this.#transport.cell === side) this.#transport.pause();
    else this.#transport.play(side, "trial");
  }

  #judge(choice: Choice): void {
    if (this.open) this.#events.judge(this.#number, choice);
  }

  #table(scores: readonly Score[]): Node[] {
    const words = this.#labels.compare;
    const percent = (share: number) => `${Math.round(100 * share)}%`;
    const heads = [words.voice, words.preferred, words.interval, words.record];
    const rows = scores.map(({ voice, preference, low, high, wins, ties, losses }) => {
      const bar = h("span", { class: "sn-bar", "aria-hidden": "true" }, h("i"), h("b"));
      bar.style.setProperty("--low", String(low));
      bar.style.setProperty("--high", String(high));
      bar.style.setProperty("--at", String(preference));
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, voice),
        h("td", { class: "sn-num" }, percent(preference)),
        h("td", { class: "sn-num" }, bar, `${percent(low)}–${percent(high)}`),
        h("td", { class: "sn-num" }, `${wins} · ${ties} · ${losses}`),
      );
    });
    const head = h("tr", {}, ...heads.map((name) => h("th", { scope: "col" }, name)));
    const again = h("button", { type: "button", class: "sn-button", title: words.tips.again }, words.again);
    again.addEventListener("click", () => this.#events.begin());
    return [h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)), again];
  }
}
