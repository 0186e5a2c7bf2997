import type { Labels } from "../ui/labels.ts";
import type { Said, Scene, Who } from "./scene.ts";
import { axisStep, clock, type Span } from "./span.ts";

/** A column of levels: 2 px and 1 px of air, as in the panel. */
const COLUMN = 3;
const LEFT = 58;
const RIGHT = 10;
const TEXT_ROW = 20;
const LANE = 46;
const BAR = 4;
const ACTIVITY = 30;
const TICKS = 12;
const AXIS = 22;
/** A label of the axis takes so much room, px. */
const LABEL = 64;

export const HEIGHT = 2 * TEXT_ROW + 2 * LANE + ACTIVITY + TICKS + AXIS;

const MIDDLE = TEXT_ROW + LANE;
const ACTIVITY_TOP = MIDDLE + LANE + TEXT_ROW;
const TICKS_TOP = ACTIVITY_TOP + ACTIVITY;
const AXIS_TOP = TICKS_TOP + TICKS;

type Ink = Record<"you" | "step" | "live" | "ink" | "quiet" | "line" | "warn" | "ground", string>;

/** Where a view's pixels lie in time. */
export class Plot {
  constructor(
    readonly span: Span,
    readonly width: number,
  ) {}

  get inner(): number {
    return Math.max(1, this.width - LEFT - RIGHT);
  }

  x(time: number): number {
    return LEFT + this.span.share(time) * this.inner;
  }

  share(x: number): number {
    return (x - LEFT) / this.inner;
  }

  /** Which side's rows a height lies in; null below them. */
  static side(y: number): Who | null {
    return y < MIDDLE ? "you" : y < ACTIVITY_TOP ? "step" : null;
  }
}

/** Draws a scene; everything written is text on a canvas, never markup. */
export function draw(
  context: CanvasRenderingContext2D,
  plot: Plot,
  scene: Scene,
  labels: Labels,
  chosen: Said | null,
  playing: number | null,
): void {
  const ink = colors(context.canvas);
  const { span, width } = plot;
  const { facts } = scene;
  context.clearRect(0, 0, width, HEIGHT);
  context.font = `12px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textBaseline = "middle";

  const fill = (color: string, x: number, y: number, w: number, h: number, alpha = 1) => {
    const from = Math.max(x, LEFT);
    const to = Math.min(x + w, width - RIGHT);
    if (to <= from) return;
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.fillRect(from, y, to - from, h);
    context.globalAlpha = 1;
  };
  const stretch = (start: number, end: number) =>
    [plot.x(start), Math.max(1, plot.x(end) - plot.x(start))] as const;
  const line = (color: string, time: number, top: number, bottom: number, w = 1) =>
    fill(color, Math.round(plot.x(time)) - w / 2, top, w, bottom - top);
  const write = (text: string, color: string, x: number, y: number, room: number, bold = false) => {
    context.font = `${bold ? "600 " : ""}12px ${getComputedStyle(context.canvas).fontFamily}`;
    const from = Math.max(x, LEFT);
    const shown = shorten(context, text, Math.min(x + room, width - RIGHT) - from);
    if (!shown) return;
    context.fillStyle = color;
    context.fillText(shown, from, y);
  };

  for (const [start, end] of facts.gaps) fill(ink.quiet, ...bounds(stretch(start, end), 0, AXIS_TOP), 0.14);
  if (chosen) {
    const [x, w] = stretch(chosen.start, chosen.generated);
    const top = chosen.who === "you" ? 0 : MIDDLE;
    fill(ink.ink, x - 3, top, w + 6, TEXT_ROW + LANE, 0.07);
  }

  // Names of the rows.
  context.textAlign = "right";
  for (const [text, color, y] of [
    [labels.you, ink.you, MIDDLE - LANE / 2],
    [labels.step, ink.step, MIDDLE + LANE / 2],
  ] as const) {
    context.font = `600 12px ${getComputedStyle(context.canvas).fontFamily}`;
    context.fillStyle = color;
    context.fillText(text, LEFT - 8, y);
  }
  context.textAlign = "left";
  fill(ink.line, LEFT, MIDDLE - 0.5, plot.inner, 1);

  // Levels.
  const second = span.length / plot.inner;
  for (let x = 0; x < plot.inner; x += COLUMN) {
    const from = span.start + x * second;
    const to = from + COLUMN * second;
    for (const who of ["you", "step"] as const) {
      const height = (LANE - 2) * scene.loudest(who, from, to);
      if (height < 0.5) continue;
      const state = scene.speaks(who, from, to);
      const alpha = state === "heard" ? 0.75 : state === "unheard" || who === "step" ? 0.28 : 0.3;
      fill(ink[who], LEFT + x, who === "you" ? MIDDLE - height : MIDDLE, COLUMN - 1, height, alpha);
    }
  }
  if (facts.threshold !== null) {
    const y = Math.round(MIDDLE - (LANE - 2) * facts.threshold);
    for (let x = LEFT; x < width - RIGHT; x += 7) fill(ink.you, x, y, 3, 1);
  }

  // Who spoke, and what.
  for (const who of ["you", "step"] as const) {
    const mine = scene.said.filter((one) => one.who === who);
    mine.forEach((one, n) => {
      if (one.generated < span.start || one.start > span.end) return;
      const y = who === "you" ? MIDDLE - BAR : MIDDLE;
      if (one.written) marker(context, ink.you, plot.x(one.start), MIDDLE - BAR - 3, width);
      else {
        fill(ink[who], ...bounds(stretch(one.start, one.end), y, y + BAR));
        if (one.generated > one.end)
          fill(ink[who], ...bounds(stretch(one.end, one.generated), y, y + BAR), 0.28);
      }
      const next = mine[n + 1]?.start ?? span.end;
      const row = who === "you" ? TEXT_ROW / 2 : MIDDLE + LANE + TEXT_ROW / 2;
      write(one.text, ink[who], plot.x(one.start), row, plot.x(next) - plot.x(one.start) - 8);
    });
  }
  for (const cut of facts.cuts) line(ink.live, cut, MIDDLE - LANE, MIDDLE + LANE, 2);

  // What else happened.
  const notes: { start: number; end: number; text: string; color: string }[] = [
    ...facts.calls.map(([start, end, text]) => ({ start, end, text, color: ink.warn })),
    ...facts.thinking.map(([start, end]) => ({ start, end, text: labels.state.thinking, color: ink.step })),
    ...facts.errors.map(([start, text]) => ({ start, end: start, text: `× ${text}`, color: ink.ink })),
  ].sort((a, b) => a.start - b.start);
  notes.forEach(({ start, end, text, color }, n) => {
    if (end < span.start || start > span.end) return;
    if (end > start) fill(color, ...bounds(stretch(start, end), ACTIVITY_TOP + 20, ACTIVITY_TOP + 24));
    const room = plot.x(notes[n + 1]?.start ?? span.end) - plot.x(start) - 8;
    write(text, color, plot.x(start), ACTIVITY_TOP + 10, room);
  });
  let last = -1;
  for (const event of facts.events) {
    const x = Math.round(plot.x(event));
    if (x === last || event < span.start || event > span.end) continue;
    last = x;
    fill(ink.quiet, x, TICKS_TOP + 1, 1, TICKS - 2, 0.8);
  }

  // The axis.
  fill(ink.line, LEFT, AXIS_TOP, plot.inner, 1);
  const step = axisStep((LABEL / plot.inner) * span.length);
  context.textAlign = "center";
  for (let n = Math.ceil(span.start / step); n * step <= span.end; n++) {
    const x = plot.x(n * step);
    fill(ink.line, x, AXIS_TOP, 1, 4);
    context.font = `11px ${getComputedStyle(context.canvas).fontFamily}`;
    context.fillStyle = ink.quiet;
    if (x < width - RIGHT - 14) context.fillText(clock(n * step, step), x, AXIS_TOP + 13);
  }
  context.textAlign = "left";
  if (playing !== null) line(ink.ink, playing, 0, AXIS_TOP, 1.5);
}

function bounds(
  [x, w]: readonly [number, number],
  top: number,
  bottom: number,
): [number, number, number, number] {
  return [x, top, w, bottom - top];
}

function marker(context: CanvasRenderingContext2D, color: string, x: number, y: number, width: number): void {
  if (x < LEFT || x > width - RIGHT) return;
  context.fillStyle = color;
  context.beginPath();
  context.moveTo(x - 4, y - 4);
  context.lineTo(x + 4, y - 4);
  context.lineTo(x, y + 3);
  context.fill();
}

/** As much of a text as fits, with an ellipsis where it was cut; nothing when that is less than five characters. */
export function shorten(
  context: Pick<CanvasRenderingContext2D, "measureText">,
  text: string,
  room: number,
): string {
  if (context.measureText(text).width <= room) return text;
  const characters = [...text];
  let [low, high] = [0, characters.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (context.measureText(`${characters.slice(0, middle).join("")}…`).width <= room) low = middle;
    else high = middle;
  }
  return low < 5 ? "" : `${characters.slice(0, low).join("").trimEnd()}…`;
}

function colors(canvas: HTMLElement): Ink {
  const style = getComputedStyle(canvas);
  const names = ["you", "step", "live", "ink", "quiet", "line", "warn", "ground"] as const;
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--sn-${name}`)])) as Ink;
}
