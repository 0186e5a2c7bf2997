import type { Row } from "../envelope.ts";
import { type CallEvents, Calls } from "./calls.ts";
import { copy } from "./clipboard.ts";
import { h, icon, setAttribute, setText } from "./dom.ts";
import { money } from "./figures.ts";
import { fill, type Labels, seconds } from "./labels.ts";
import { type Playing, Strip } from "./strip.ts";

const COPY = "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z";
const SAVE = "M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13h10";
const DONE = "M3 8.5l3.5 3.5L13 4.5";
const COPIED_MS = 1500;

export interface RowEvents extends CallEvents {
  toggle(row: string): void;
  seek(row: string, seconds: number): void;
  save(row: string): void;
}

/** One side of one exchange. Its parts stay what they are while it changes: what is open, focused or playing stays so. */
export class RowView {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #events: RowEvents;
  readonly #who = h("div", { class: "sn-who" });
  readonly #words = h("div", { class: "sn-words" });
  readonly #thinking = h("details", { class: "sn-thinking", hidden: true });
  readonly #thought = h("div");
  readonly #calls: Calls;
  readonly #copy: HTMLButtonElement;
  readonly #first = h("div", { class: "sn-first" });
  readonly #latency = h("span", { class: "sn-latency" });
  readonly #tokens = h("div", { class: "sn-tokens", hidden: true });
  #strip: Strip | null = null;
  #text = "";

  constructor(labels: Labels, events: RowEvents) {
    this.#labels = labels;
    this.#events = events;
    this.#calls = new Calls(labels, events);
    this.#copy = h("button", { type: "button", class: "sn-ghost sn-copy" });
    this.#copyable("copyRow", COPY);
    this.#copy.addEventListener("click", () => void this.#copyText());
    this.#thinking.append(
      h("summary", { class: "sn-fold-line", title: labels.thinkingTitle }, labels.thinkingRow),
      this.#thought,
    );
    this.#first.append(this.#copy, this.#latency);
    this.element = h(
      "div",
      { class: "sn-row" },
      this.#who,
      h("div", { class: "sn-text" }, this.#thinking, this.#words, this.#calls.element),
      h("div", { class: "sn-meta sn-num" }, this.#first, this.#tokens),
    );
  }

  /** Shows a version of the row; heard: so many characters count as heard. */
  update(row: Row, heard: number | null): void {
    Object.assign(this.element.dataset, { row: row.id, who: row.who, state: row.state });
    setText(this.#who, this.#labels[row.who]);
    this.#text = row.text;
    this.#copy.hidden = !row.text;
    this.#say(row, heard);
    this.#thinking.hidden = !row.thinking;
    setText(this.#thought, row.thinking);
    this.#calls.update(row.tools);
    this.#figures(row);
    if (row.wave && !this.#strip) {
      const { id, who } = row;
      this.#strip = new Strip(this.#labels, this.#labels[who], {
        toggle: () => this.#events.toggle(id),
        seek: (at) => this.#events.seek(id, at),
      });
      const save = h("button", { type: "button", class: "sn-ghost sn-copy", title: this.#labels.saveRow });
      setAttribute(save, "aria-label", this.#labels.saveRow);
      save.append(icon(SAVE));
      save.addEventListener("click", () => this.#events.save(id));
      this.#copy.after(save, this.#strip.element);
    }
    if (row.wave) this.#strip?.update(row);
  }

  playing(playing: Playing, at: number): void {
    this.#strip?.show(playing, at);
  }

  #say({ text, state, cut_ms, note, finish }: Row, heard: number | null): void {
    // Characters as the kernel counts them: code points, not UTF-16 units.
    const heardText = heard === null ? text : [...text].slice(0, heard).join("");
    const words: (Node | string)[] = [h("span", { class: "sn-heard" }, heardText)];
    if (heardText !== text) words.push(h("span", { class: "sn-unheard" }, text.slice(heardText.length)));
    const { cutOff, cut: wasCut, failedRow } = this.#labels;
    let mark = "";
    if (state === "interrupted") mark = cut_ms === null ? wasCut : fill(cutOff, { s: seconds(cut_ms) });
    if (state === "failed") mark = note ?? failedRow;
    if (mark) words.push(" ", h("span", { class: "sn-mark" }, mark));
    const ended = (finish && this.#labels.finish[finish]) || note;
    if (ended && state !== "failed") words.push(h("div", { class: "sn-row-note" }, ended));
    this.#words.replaceChildren(...words);
  }

  #figures({ who, state, latency_ms, usage, cost }: Row): void {
    const { speakingNow, latency, latencyTitle, tokens, tokensTitle, estimated, estimatedTitle } =
      this.#labels;
    const live = who === "you" && state === "live";
    this.#latency.classList.toggle("sn-live", live);
    this.#latency.hidden = !live && latency_ms === null;
    setText(
      this.#latency,
      live ? speakingNow : fill(latency, { s: seconds(Math.max(0, latency_ms ?? 0), 2) }),
    );
    setAttribute(this.#latency, "title", live ? undefined : latencyTitle);
    this.#tokens.hidden = !usage;
    if (!usage) return;
    const counted = fill(tokens, { input: usage.input, output: usage.output });
    const figures = [
      usage.estimated ? fill(estimated, { what: counted }) : counted,
      money(cost, this.#labels),
    ];
    setText(this.#tokens, figures.filter(Boolean).join(" · "));
    this.#tokens.title = usage.estimated ? estimatedTitle : tokensTitle;
  }

  #copyable(label: "copyRow" | "copied", path: string): void {
    this.#copy.title = this.#labels[label];
    setAttribute(this.#copy, "aria-label", this.#labels[label]);
    this.#copy.replaceChildren(icon(path));
  }

  async #copyText(): Promise<void> {
    if (!(await copy(this.#text))) return;
    this.#copyable("copied", DONE);
    setTimeout(() => this.#copyable("copyRow", COPY), COPIED_MS);
  }
}
