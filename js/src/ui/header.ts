import type { Info, Row } from "../envelope.ts";
import type { Health } from "../link.ts";
import { h, setText } from "./dom.ts";
import { money } from "./figures.ts";
import { fill, type Labels, type PanelState, seconds } from "./labels.ts";

/** The first line: the state as a word, what one talks to, and how the kernel is doing. */
export class Header {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #word = h("span", { class: "sn-state", role: "status" });
  readonly #what = h("span", { class: "sn-what" });
  readonly #dropped = h("span", { class: "sn-chip sn-dropped sn-num", hidden: true });
  readonly #kernel = h("span", { class: "sn-chip sn-kernel sn-num", hidden: true });

  readonly #totals = h("span", { class: "sn-chip sn-totals sn-num", hidden: true });

  constructor(labels: Labels, more: HTMLElement) {
    this.#labels = labels;
    this.#dropped.title = labels.droppedTitle;
    this.#totals.title = labels.totalTitle;
    this.element = h(
      "div",
      { class: "sn-head" },
      h("span", { class: "sn-dot" }),
      this.#word,
      this.#what,
      this.#dropped,
      this.#totals,
      this.#kernel,
      more,
    );
  }

  state(state: PanelState): void {
    setText(this.#word, this.#labels.state[state]);
  }

  info({ model, voice, where }: Info): void {
    const text = [model, voice, where ?? this.#labels.localEngine].filter(Boolean).join(" · ");
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

  totals({ turns, cost }: { turns: number; cost: Row["cost"] }): void {
    this.#totals.hidden = turns === 0;
    const { totals } = this.#labels;
    setText(
      this.#totals,
      [fill(totals, { n: turns }), money(cost, this.#labels)].filter(Boolean).join(" · "),
    );
  }

  dropped(ms: number): void {
    this.#dropped.hidden = ms === 0;
    setText(this.#dropped, fill(this.#labels.dropped, { s: seconds(ms) }));
  }
}
