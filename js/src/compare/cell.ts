import { h, icon, setAttribute } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import type { Cell } from "./traits.ts";

const PLAY = "M5 3.2l7.5 4.8L5 12.8z";
const PAUSE = "M5.5 3.5v9M10.5 3.5v9";
const HEIGHT = 36;

export interface CellEvents {
  /** Play from `share` of its length on, or from where the row is. */
  play(share?: number): void;
  pause(): void;
}

/** One voice with one text: its button, its waveform with the row's cursor, its figures. */
export class CellView {
  readonly element: HTMLElement;
  readonly #button = h("button", { type: "button", class: "sn-ghost" });
  readonly #cursor: SVGRectElement;
  readonly #wave: SVGSVGElement;
  readonly #labels: Labels;
  readonly #voice: string;
  #playing = false;

  constructor(cell: Cell, voice: string, labels: Labels, events: CellEvents) {
    this.#labels = labels;
    this.#voice = voice;
    const svg = (name: string, attributes: Record<string, string>) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const count = Math.max(cell.peaks.length, 1);
    this.#wave = svg("svg", {
      viewBox: `0 0 ${count} ${HEIGHT}`,
      preserveAspectRatio: "none",
      class: "sn-cell-wave",
      "aria-hidden": "true",
    }) as SVGSVGElement;
    const path = cell.peaks.map((peak, at) => {
      const size = Math.max(0.5, (HEIGHT / 2 - 1) * (peak / 100) ** 0.6);
      return `M${at + 0.5} ${HEIGHT / 2 - size}v${2 * size}`;
    });
    this.#wave.append(svg("path", { d: path.join("") }));
    this.#cursor = svg("rect", { y: "0", width: "0.8", height: String(HEIGHT), x: "-1" }) as SVGRectElement;
    this.#wave.append(this.#cursor);
    this.#button.addEventListener("click", () => (this.#playing ? events.pause() : events.play()));
    this.#wave.addEventListener("click", (event) => {
      const { left, width } = this.#wave.getBoundingClientRect();
      events.play(Math.max(0, Math.min(1, (event.clientX - left) / width)));
    });
    this.element =
      cell.error === null
        ? h(
            "td",
            {},
            h("div", { class: "sn-cell" }, this.#button, this.#wave),
            h("div", { class: "sn-figures sn-num" }, cell.figures),
          )
        : h("td", { class: "sn-cell-error" }, cell.error);
    // Where the grid is too narrow for columns.
    this.element.dataset.voice = voice;
    this.update(false, null);
  }

  /** `share`: where its row is; null: nowhere. */
  update(playing: boolean, share: number | null): void {
    if (playing !== this.#playing || !this.#button.firstChild) {
      this.#playing = playing;
      this.#button.replaceChildren(icon(playing ? PAUSE : PLAY));
      const words = playing ? this.#labels.compare.pause : this.#labels.compare.play;
      this.#button.title = fill(words, { voice: this.#voice });
      setAttribute(this.#button, "aria-label", this.#button.title);
      setAttribute(this.element, "data-playing", playing ? "true" : undefined);
    }
    const count = this.#wave.viewBox.baseVal.width;
    this.#cursor.setAttribute("x", share === null ? "-2" : String(share * count));
  }
}
