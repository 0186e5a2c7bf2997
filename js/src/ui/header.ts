import type { Info } from "../envelope.ts";
import { h, setText } from "./dom.ts";
import { fill, type Labels, type PanelState, seconds } from "./labels.ts";

/** The first line: the state as a word, what one talks to, and how the kernel is doing. */
export class Header {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #word = h("span", { class: "sn-state", role: "status" });
  readonly #what = h("span", { class: "sn-what" });
  readonly #lag = h("span", { class: "sn-chip sn-lag sn-num", hidden: true });
  readonly #dropped = h("span", { class: "sn-chip sn-dropped sn-num", hidden: true });
  readonly #kernel = h("span", { class: "sn-chip sn-kernel sn-num", hidden: true });

  constructor(labels: Labels) {
    this.#labels = labels;
    this.#dropped.title = labels.droppedTitle;
    this.#kernel.title = labels.kernelTitle;
    this.element = h(
      "div",
      { class: "sn-head" },
      h("span", { class: "sn-dot" }),
      this.#word,
      this.#what,
      this.#dropped,
      this.#lag,
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

  link(rtt: number | null, lagging: boolean, micOn: boolean): void {
    this.#lag.hidden = !lagging;
    setText(this.#lag, micOn ? this.#labels.lagMic : this.#labels.lag);
    this.#kernel.hidden = lagging || rtt === null;
    if (rtt !== null) setText(this.#kernel, fill(this.#labels.kernel, { ms: Math.round(rtt) }));
  }

  dropped(ms: number): void {
    this.#dropped.hidden = ms === 0;
    setText(this.#dropped, fill(this.#labels.dropped, { s: seconds(ms) }));
  }
}
