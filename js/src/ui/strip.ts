import type { Row } from "../envelope.ts";
import { h, icon, setAttribute } from "./dom.ts";
import { fill, type Labels } from "./labels.ts";

const PLAY = "M5.2 3.6l7 4.4-7 4.4z";
const PAUSE = "M5.5 4v8M10.5 4v8";
/** A bar of the waveform: 1.5 px and as much air. */
const BAR = 1.5;
const HEIGHT = 16;

export type Playing = "off" | "loading" | "playing" | "paused";

export interface StripEvents {
  toggle(): void;
  /** s from the begin. */
  seek(seconds: number): void;
}

/** The sound of one row: its waveform, on which one seeks, and a button to play it. */
export class Strip {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #who: string;
  readonly #wave = h("span", { class: "sn-wave" });
  readonly #seek: HTMLInputElement;
  readonly #play: HTMLButtonElement;
  #drawn = "";

  constructor(labels: Labels, who: string, events: StripEvents) {
    this.#labels = labels;
    this.#who = who;
    this.#seek = h("input", { type: "range", class: "sn-seek", min: "0", step: "0.1", value: "0" });
    this.#seek.title = fill(labels.seekRow, { who });
    this.#seek.setAttribute("aria-label", this.#seek.title);
    this.#play = h("button", { type: "button", class: "sn-play" });
    this.element = h("span", { class: "sn-sound" }, this.#wave, this.#play);
    this.#play.addEventListener("click", () => events.toggle());
    this.#seek.addEventListener("input", () => {
      this.#at(this.#seek.valueAsNumber);
      events.seek(this.#seek.valueAsNumber);
    });
    this.show("off", 0);
  }

  update({ wave, duration_ms }: Row): void {
    const text = String(wave);
    if (text === this.#drawn) return;
    this.#drawn = text;
    this.#seek.max = String((duration_ms ?? 0) / 1000);
    this.#wave.replaceChildren(
      drawing(wave ?? [], "sn-wave-all"),
      drawing(wave ?? [], "sn-wave-past"),
      this.#seek,
    );
  }

  show(playing: Playing, seconds: number): void {
    const { playRow, pauseRow, loadingRow } = this.#labels;
    const word = { off: playRow, paused: playRow, playing: pauseRow, loading: loadingRow }[playing];
    const label = fill(word, { who: this.#who });
    if (this.#play.dataset.playing !== playing) {
      this.#play.dataset.playing = playing;
      this.#play.title = label;
      setAttribute(this.#play, "aria-label", label);
      this.#play.replaceChildren(icon(playing === "playing" ? PAUSE : PLAY));
    }
    this.#seek.value = String(seconds);
    this.#at(seconds);
  }

  #at(seconds: number): void {
    const whole = Number(this.#seek.max) || 1;
    this.#wave.style.setProperty("--sn-at", `${Math.min(100, (seconds / whole) * 100)}%`);
  }
}

/** Mirrored bars, as the ribbon has them. */
function drawing(wave: number[], name: string): SVGSVGElement {
  const middle = HEIGHT / 2;
  const bars = wave.map((level, n) => {
    const size = Math.max(0.5, (level / 100) * (middle - 1));
    return `M${n * 2 * BAR + BAR / 2} ${(middle - size).toFixed(1)}v${(2 * size).toFixed(1)}`;
  });
  const svg = icon(bars.join(""));
  svg.setAttribute("viewBox", `0 0 ${Math.max(1, wave.length * 2 * BAR)} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", name);
  return svg;
}
