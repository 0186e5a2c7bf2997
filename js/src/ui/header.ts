import type { Info } from "../envelope.ts";
import type { Health } from "../link.ts";
import { h, setText } from "./dom.ts";
import { fill, type Labels, type PanelState, seconds } from "./labels.ts";

/** The first line: the state as a word, what one talks to, and how the kernel is doing. */
export class Header {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #word = h("span", { class: "sn-state", role: "status" });
  readonly #what = h("span", { class: "sn-what" });
  readonly #dropped = h("span", { class: "sn-chip sn-dropped sn-num", hidden: true });
  readonly #kernel = h("span", { class: "sn-chip sn-kernel sn-num", hidden: true });

  constructor(labels: Labels) {
    this.#labels = labels;
    this.#dropped.title = labels.droppedTitle;
    this.element = h(
      "div",
      { class: "sn-head" },
      h("span", { class: "sn-dot" }),
      this.#word,
      this.#what,
      this.#dropped,
      this.#kernel,
    );
  }

  state(state: PanelState): void {
    setText(this.#word, this.#labels.state[state]);
  }

  info({ model, voice, where }: Info): void {
    const text = [model, voice, where].filter(Boolean).join(" · ");
    setText(this.#what, text);
    this.#what.title = text;
  }

  /** The lag badge: the round trip to the kernel, ms, and what it means. */
  link(rtt: number | null, health: Health | null): void {
    this.#kernel.hidden = health === null || (rtt === null && health !== "blocked");
    if (this.#kernel.hidden || health === null) return;
    const { text, title } = this.#labels.health[health];
    this.#kernel.dataset.health = health;
    this.#kernel.title = title;
    setText(this.#kernel, fill(text, { ms: Math.round(rtt ?? 0) }));
  }

  dropped(ms: number): void {
    this.#dropped.hidden = ms === 0;
    setText(this.#dropped, fill(this.#labels.dropped, { s: seconds(ms) }));
  }
}
