import type { Info } from "../envelope.ts";
import { h } from "./dom.ts";
import { fill, type Labels } from "./labels.ts";

/** The last lines: the settings' values, and what the other end cannot do. */
export class Settings {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #strip = h("div", { class: "sn-strip sn-num" });
  readonly #limits = h("details", { class: "sn-limits", hidden: true });

  constructor(labels: Labels, devices: HTMLElement) {
    this.#labels = labels;
    this.element = h("div", { class: "sn-foot" }, this.#strip, devices, this.#limits);
    const { localEngine, localLimits, limitsTitle } = labels;
    const [first, ...others] = localLimits;
    this.#limits.append(
      h("summary", { title: limitsTitle }, h("span", {}, h("b", {}, localEngine), ` ${first}`)),
      h("ul", {}, ...others.map((limit) => h("li", {}, limit))),
    );
  }

  info({ voice, where, vad, prompt, tools }: Info): void {
    const { sections, pushToTalk, vad: vadLabel, vadTitle, toolsOn, none } = this.#labels;
    const values = vad && {
      padding: vad.prefix_padding_ms,
      silence: vad.silence_duration_ms,
      threshold: vad.energy_awakeness_threshold,
    };
    this.#strip.replaceChildren(
      value(sections.voice, voice),
      value(sections.prompt, prompt || none),
      value(
        sections.turns,
        values ? fill(vadLabel, values) : pushToTalk,
        values ? fill(vadTitle, values) : undefined,
      ),
      value(sections.tools, tools ? fill(toolsOn, { n: tools }) : none),
    );
    this.#limits.hidden = where !== null;
  }
}

function value(name: string, text: string, title?: string): HTMLElement {
  return h("span", { class: "sn-value", title }, `${name} `, h("span", {}, text));
}
