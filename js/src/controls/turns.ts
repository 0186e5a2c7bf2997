import { onLevel } from "../page.ts";
import { h, setAttribute } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import { type Part, type Settings, Slider, Switch } from "./parts.ts";

/** The service's scale of the energy threshold. */
const LOUDEST = 5000;
/** With reduced motion the level steps, ms. */
const REDUCED_MS = 1000;
/** How long the level stays shown after the microphone has fallen silent, ms. */
const LEVEL_MS = 300;

type Sizes = "energy_awakeness_threshold" | "silence_duration_ms" | "prefix_padding_ms";

/** Turn-taking: by the service or by hand, and with which sizes. The live level lies on the threshold's own scale. */
export class Turns implements Part {
  readonly field = "vad";
  readonly element: HTMLElement;
  readonly #settings: Settings;
  readonly #labels: Labels;
  readonly #switch: Switch;
  readonly #sliders: Record<Sizes, Slider>;
  readonly #level = h("div", { class: "sn-level" });
  readonly #meter: HTMLElement;
  readonly #reduced = matchMedia("(prefers-reduced-motion: reduce)");
  #silence = 0;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(settings: Settings, labels: Labels, signal: AbortSignal) {
    const {
      thresholdRow,
      thresholdTitle,
      thresholdUnit,
      silenceRow,
      silenceTitle,
      paddingRow,
      paddingTitle,
    } = labels;
    const { ms } = labels;
    this.#settings = settings;
    this.#labels = labels;
    this.#switch = new Switch([labels.vadOn], labels.vadOnTitle, undefined, (on) => settings.set("vad", on));
    const slider = (name: Sizes, label: string, title: string, unit: string, max: number, limit: number) =>
      new Slider({ label, title, unit, max, limit, step: 50, move: (value) => settings.set(name, value) });
    this.#sliders = {
      energy_awakeness_threshold: slider(
        "energy_awakeness_threshold",
        thresholdRow,
        thresholdTitle,
        "",
        LOUDEST,
        LOUDEST,
      ),
      silence_duration_ms: slider("silence_duration_ms", silenceRow, silenceTitle, ms, 2000, 60_000),
      prefix_padding_ms: slider("prefix_padding_ms", paddingRow, paddingTitle, ms, 1000, 10_000),
    };
    this.#meter = h(
      "div",
      { class: "sn-meter", role: "img", "aria-label": labels.levelNow, title: labels.thresholdUnit },
      this.#level,
    );
    this.#sliders.energy_awakeness_threshold.track.prepend(this.#meter);
    this.element = h("div", {}, this.#switch.element);
    const [threshold, ...others] = Object.values(this.#sliders).map((s) => s.element);
    if (threshold) this.element.append(threshold);
    this.element.append(h("p", { class: "sn-hint sn-scale" }, thresholdUnit), ...others);
    onLevel(settings.get("info").session, (rms) => this.#hear(rms), signal);
    signal.addEventListener("abort", () => clearTimeout(this.#silence));
  }

  value(): string {
    if (!this.#settings.get("vad")) return this.#labels.pushToTalk;
    return fill(this.#labels.vad, {
      padding: this.#settings.get("prefix_padding_ms"),
      silence: this.#settings.get("silence_duration_ms"),
      threshold: this.#settings.get("energy_awakeness_threshold"),
    });
  }

  update(): void {
    const { closed } = this.#settings.get("info");
    const on = this.#settings.get("vad");
    this.#switch.update(on, closed);
    for (const [name, slider] of Object.entries(this.#sliders)) {
      slider.update(this.#settings.get(name as Sizes), closed || !on);
    }
    const share = this.#settings.get("energy_awakeness_threshold") / LOUDEST;
    this.#meter.style.setProperty("--sn-threshold", String(share));
  }

  #hear(rms: number): void {
    const now = performance.now();
    if (this.#reduced.matches && now - this.#shownAt < REDUCED_MS) return;
    this.#shownAt = now;
    this.#show(rms);
    clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => this.#show(0), LEVEL_MS);
  }

  #show(rms: number): void {
    if (!this.element.checkVisibility()) return;
    this.#level.style.setProperty("--sn-share", String(Math.min(1, rms / LOUDEST)));
    setAttribute(this.#meter, "data-speech", String(rms >= this.#settings.get("energy_awakeness_threshold")));
  }
}
