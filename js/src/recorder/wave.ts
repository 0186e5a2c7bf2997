import { toMs } from "../audio/format.ts";
import { h, setAttribute, setText } from "../ui/dom.ts";
import { fill, type Labels, seconds } from "../ui/labels.ts";
import type { Selection } from "./selection.ts";
import type { Take } from "./take.ts";

/** A column of bars: 2 px and 1 px of air. */
const COLUMN = 3;
/** Levels are drawn to this power: the ear is not linear, and quiet speech should show. */
const POWER = 0.6;
const STEP_MS = 100;
const LARGE_STEP_MS = 500;

/** What is shown: a recording in the making, or one with a selection; null: nothing yet. */
type Shown = { take: Take } | { pcm: Int16Array; selection: Selection } | null;

/** The picture of a recording, and the handles that cut it. */
export class Wave {
  readonly element: HTMLElement;
  readonly #canvas = h("canvas");
  readonly #count = h("div", { class: "sn-count sn-num", "aria-hidden": "true" });
  readonly #handles: Record<"start" | "end", HTMLElement>;
  readonly #labels: Labels;
  readonly #window: [number, number];
  readonly #moved: (done: boolean) => void;
  #shown: Shown = null;
  /** ms of the recording where playback is; null: it does not play. */
  #playhead: number | null = null;

  /** `window`: what is asked for, ms; `moved` is called while a handle moves, and once it rests. */
  constructor(labels: Labels, window: [number, number], moved: (done: boolean) => void, signal: AbortSignal) {
    this.#labels = labels;
    this.#window = window;
    this.#moved = moved;
    this.#handles = { start: this.#handle("start"), end: this.#handle("end") };
    this.element = h(
      "div",
      { class: "sn-wave", role: "group", "aria-label": labels.recorder.wave },
      this.#canvas,
      this.#count,
      this.#handles.start,
      this.#handles.end,
    );
    const resized = new ResizeObserver(() => this.draw());
    resized.observe(this.#canvas);
    signal.addEventListener("abort", () => resized.disconnect());
  }

  show(shown: Shown): void {
    this.#shown = shown;
    this.#playhead = null;
    this.draw();
  }

  /** Where playback is, ms; null: nowhere. */
  play(at: number | null): void {
    this.#playhead = at;
    this.draw();
  }

  draw(): void {
    const shown = this.#shown;
    const take = shown && "take" in shown ? shown.take : null;
    setText(this.#count, take?.phase === "counting" ? String(take.count) : "");
    this.#place();
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    if (!context || !width) return;
    const scale = devicePixelRatio;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const style = getComputedStyle(this.element);
    const color = (name: string) => style.getPropertyValue(`--sn-${name}`).trim() || "currentColor";
    const middle = height / 2;
    const columns = Math.floor(width / COLUMN);
    const [least, longest] = this.#window;
    if (!shown || take) {
      // The time that is asked for: from the dashed line on it is enough.
      const x = Math.round((least / longest) * width) + 0.5;
      context.strokeStyle = color("line-strong");
      context.setLineDash([3, 4]);
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, height);
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = color("quiet");
      context.font = `11px ${style.fontFamily}`;
      context.fillText(fill(this.#labels.recorder.mark, { s: seconds(least, 0) }), x + 5, 14);
    }
    const bar = (column: number, peak: number, name: string, alpha: number) => {
      const size = Math.max(0.5, (middle - 3) * (peak / 32_768) ** POWER);
      context.fillStyle = color(name);
      context.globalAlpha = alpha;
      context.fillRect(column * COLUMN, middle - size, COLUMN - 1, 2 * size);
      context.globalAlpha = 1;
    };
    if (take) {
      const perColumn = longest / 20 / columns;
      for (let column = 0; column * perColumn < take.peaks.length; column++) {
        const some = take.peaks.slice(
          Math.floor(column * perColumn),
          Math.max(Math.floor((column + 1) * perColumn), Math.floor(column * perColumn) + 1),
        );
        const peak = Math.max(...some.map((one) => one.peak));
        bar(column, peak, some.some((one) => one.clipped) ? "warn" : "you", 1);
      }
    } else if (shown && "pcm" in shown) {
      const { pcm, selection } = shown;
      const perColumn = pcm.length / columns;
      for (let column = 0; column < columns; column++) {
        let peak = 0;
        const end = Math.min(pcm.length, Math.ceil((column + 1) * perColumn));
        for (let i = Math.floor(column * perColumn); i < end; i++)
          peak = Math.max(peak, Math.abs(pcm[i] as number));
        const ms = toMs((column + 0.5) * perColumn);
        bar(column, peak, "you", ms >= selection.start && ms <= selection.end ? 1 : 0.25);
      }
      if (this.#playhead !== null) {
        context.fillStyle = color("ink");
        context.fillRect((this.#playhead / selection.total) * width, 0, 1.5, height);
      }
    }
  }

  #place(): void {
    const shown = this.#shown;
    for (const side of ["start", "end"] as const) {
      const handle = this.#handles[side];
      handle.hidden = !(shown && "selection" in shown);
      if (!shown || !("selection" in shown)) continue;
      const { selection } = shown;
      handle.style.left = `${(selection[side] / selection.total) * 100}%`;
      const attributes = {
        "aria-valuemin": "0",
        "aria-valuemax": String(selection.total),
        "aria-valuenow": String(selection[side]),
        "aria-valuetext": fill(this.#labels.recorder.secondsLong, { s: seconds(selection[side], 2) }),
      };
      for (const [name, value] of Object.entries(attributes)) setAttribute(handle, name, value);
    }
  }

  #handle(side: "start" | "end"): HTMLElement {
    const { trimStart, trimEnd } = this.#labels.recorder;
    const label = side === "start" ? trimStart : trimEnd;
    const handle = h("div", {
      class: "sn-handle",
      role: "slider",
      tabindex: "0",
      "aria-label": label,
      title: label,
      hidden: true,
    });
    handle.dataset.side = side;
    const move = (to: number, done: boolean) => {
      if (!this.#shown || !("selection" in this.#shown)) return;
      const { selection } = this.#shown;
      if (side === "start") selection.moveStart(to);
      else selection.moveEnd(to);
      this.draw();
      this.#moved(done);
    };
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId) || !this.#shown || !("selection" in this.#shown)) return;
      const { left, width } = this.#canvas.getBoundingClientRect();
      move(((event.clientX - left) / width) * this.#shown.selection.total, false);
    });
    handle.addEventListener("pointerup", () => this.#moved(true));
    handle.addEventListener("keydown", (event) => {
      if (!this.#shown || !("selection" in this.#shown)) return;
      const { selection } = this.#shown;
      const step = event.shiftKey ? LARGE_STEP_MS : STEP_MS;
      const to = {
        ArrowLeft: selection[side] - step,
        ArrowDown: selection[side] - step,
        ArrowRight: selection[side] + step,
        ArrowUp: selection[side] + step,
        Home: 0,
        End: selection.total,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      move(to, true);
    });
    return handle;
  }
}
