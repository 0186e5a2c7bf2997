import { h } from "./dom.ts";
import type { Labels } from "./labels.ts";
import { type Bar, PAST_MS, type Timeline } from "./timeline.ts";

/** What is about to be heard is shown this far ahead. */
const AHEAD_MS = 2_400;
/** The loudest level drawn, RMS; above it bars are full. Speech near a microphone stays below. */
const LOUDEST = 9_000;
/** Levels are drawn to this power: the ear is not linear, and quiet speech should show. */
const POWER = 0.6;
/** A column of bars: 2 px and 1 px of air. */
const COLUMN = 3;
const FRAME_INTERVAL = 33;
const REDUCED_INTERVAL = 1000;

type Palette = Record<"you" | "step" | "live" | "line" | "ink", string>;

/** A level as a share of a lane's height. */
function share(rms: number): number {
  return Math.min(1, rms / LOUDEST) ** POWER;
}

/** Two mirrored lanes on one time axis: the person above, the assistant below. Drawn only while something moves. */
export class Ribbon {
  readonly element: HTMLElement;
  readonly #canvas = h("canvas");
  readonly #threshold = h("span", { class: "sn-threshold sn-num", hidden: true });
  readonly #timeline: Timeline;
  readonly #labels: Labels;
  readonly #reduced = matchMedia("(prefers-reduced-motion: reduce)");
  #level: number | null = null;
  #colors: Palette | null = null;
  #frame = 0;
  #drawnAt = 0;

  constructor(timeline: Timeline, labels: Labels, signal: AbortSignal) {
    this.#timeline = timeline;
    this.#labels = labels;
    this.element = h(
      "div",
      { class: "sn-ribbon", role: "img", "aria-label": labels.ribbon },
      h("div", { class: "sn-lanes" }, h("b", { "data-who": "you" }, labels.you), this.#threshold),
      this.#canvas,
    );
    this.element.firstElementChild?.append(h("b", { "data-who": "step" }, labels.step));
    const resized = new ResizeObserver(() => this.redraw());
    resized.observe(this.#canvas);
    signal.addEventListener("abort", () => {
      resized.disconnect();
      cancelAnimationFrame(this.#frame);
    });
  }

  /** The service's VAD threshold, RMS in int16 units, as it is drawn. */
  get level(): number | null {
    return this.#level;
  }

  /** The service's VAD threshold, RMS in int16 units; null: no line. */
  threshold(level: number | null): void {
    this.#level = level;
    this.#threshold.hidden = level === null;
    if (level !== null) {
      this.#threshold.replaceChildren(h("span", {}, `${this.#labels.threshold} `), String(level));
      this.#threshold.style.top = `${50 - 50 * share(level)}%`;
    }
    this.redraw();
  }

  /** The theme or the size has changed. */
  redraw(): void {
    this.#colors = null;
    this.#draw();
  }

  /** Something has moved: draws until it stands still again. */
  wake(): void {
    if (this.#frame) return;
    const step = (now: number) => {
      const interval = this.#reduced.matches ? REDUCED_INTERVAL : FRAME_INTERVAL;
      const moving = this.#timeline.moving(now);
      if (now - this.#drawnAt >= interval || !moving) {
        this.#drawnAt = now;
        this.#draw();
      }
      this.#frame = moving ? requestAnimationFrame(step) : 0;
    };
    this.#frame = requestAnimationFrame(step);
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    if (!context || !width) return;
    const scale = devicePixelRatio;
    if (this.#canvas.width !== Math.round(width * scale)) this.#canvas.width = Math.round(width * scale);
    if (this.#canvas.height !== Math.round(height * scale)) this.#canvas.height = Math.round(height * scale);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);

    const colors = this.#palette();
    const now = performance.now();
    const clock = this.#timeline.clock(now);
    const column = ((PAST_MS + AHEAD_MS) / width) * COLUMN;
    // Columns stand on a fixed grid of time, so that bars slide and do not flicker.
    const left = Math.floor((clock - PAST_MS) / column);
    const x = (t: number) => (t / column - left) * COLUMN - ((clock - PAST_MS) / column - left) * COLUMN;
    const middle = Math.round(height / 2);
    const lane = middle - 5;

    const line = (from: [number, number], to: [number, number], color: string, dash: number[], alpha = 1) => {
      context.globalAlpha = alpha;
      context.strokeStyle = color;
      context.setLineDash(dash);
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
      context.globalAlpha = 1;
    };
    const bars = (all: Bar[], direction: 1 | -1, color: string, alpha: (rms: number) => number) => {
      context.fillStyle = color;
      for (const [index, rms] of columns(all, column)) {
        const size = Math.max(1, lane * share(rms));
        context.globalAlpha = alpha(rms);
        context.fillRect(x(index * column), direction < 0 ? middle - 1 - size : middle + 1, COLUMN - 1, size);
      }
      context.globalAlpha = 1;
    };

    context.lineWidth = 1;
    line([0, middle - 0.5], [width, middle - 0.5], colors.line, []);
    const speech = this.#level ?? 0;
    bars(this.#timeline.you, -1, colors.you, (rms) => (rms >= speech ? 1 : 0.5));
    bars(
      this.#timeline.step.filter(({ t }) => t <= clock),
      1,
      colors.step,
      () => 1,
    );
    bars(
      this.#timeline.unheard.filter(({ t }) => t <= clock + AHEAD_MS),
      1,
      colors.step,
      () => 0.28,
    );
    bars(this.#timeline.ahead(now, AHEAD_MS), 1, colors.step, () => 0.28);
    for (const t of this.#timeline.pauses) line([x(t), middle - 6], [x(t), middle + 6], colors.line, []);
    if (this.#level !== null) {
      const y = Math.round(middle - 1 - lane * share(this.#level)) + 0.5;
      line([0, y], [width, y], colors.you, [3, 4], 0.8);
    }
    context.lineWidth = 1.5;
    for (const t of this.#timeline.cuts) line([x(t), 5], [x(t), height - 5], colors.live, []);
    context.lineWidth = 1;
    if (clock > 0) line([x(clock), 0], [x(clock), height], colors.ink, [], 0.7);
  }

  #palette(): Palette {
    if (!this.#colors) {
      const style = getComputedStyle(this.element);
      const color = (name: string) => style.getPropertyValue(`--sn-${name}`).trim() || "currentColor";
      const [you, step, live, line, ink] = ["you", "step", "live", "line-strong", "ink"].map(color);
      this.#colors = { you, step, live, line, ink } as Palette;
    }
    return this.#colors;
  }
}

/** The loudest bar of each column, by the column's number. */
function columns(bars: Bar[], column: number): Map<number, number> {
  const loudest = new Map<number, number>();
  for (const { t, rms } of bars) {
    const index = Math.floor(t / column);
    loudest.set(index, Math.max(loudest.get(index) ?? 0, rms));
  }
  return loudest;
}
