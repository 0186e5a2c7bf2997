import type { AnyModel } from "@anywidget/types";
import { Channel } from "../channel.ts";
import { randomId } from "../page.ts";
import { h, icon, setAttribute, setText } from "../ui/dom.ts";
import { fill, type Labels, pageLabels } from "../ui/labels.ts";
import { followTheme } from "../ui/theme.ts";
import { draw, HEIGHT, Plot } from "./draw.ts";
import { gestures } from "./gestures.ts";
import { type Said, Scene, type SceneMessage } from "./scene.ts";
import { Sound } from "./sound.ts";
import { clock, Span } from "./span.ts";

export interface TimelineTraits {
  lang: string;
}

interface Up {
  look: Record<never, never>;
  play: { turn: number; who: string };
}

interface Down {
  scene: SceneMessage;
  sound: { turn: number; who: string; wav: string | null; start: number };
}

const ICONS = { in: "M8 3v10M3 8h10", out: "M3 8h10", all: "M2 8h12M2 8l3-3M2 8l3 3M14 8l-3-3M14 8l-3 3" };
const REACH = 8;
const STEP = 0.2;
const FACTOR = 1.5;

/** Two lanes on a canvas; what was chosen stands below as text, with a button to hear it. */
export class TimelineView {
  readonly #controller = new AbortController();
  readonly #labels: Labels;
  readonly #channel: Channel<Up, Down>;
  readonly #root: HTMLElement;
  readonly #canvas = h("canvas", { tabindex: "0", role: "img" });
  readonly #caption = h("div", { class: "sn-caption" });
  readonly #play = h("button", { type: "button", class: "sn-button", hidden: true });
  readonly #sound: Sound;
  #scene: Scene | null = null;
  #span = new Span(1);
  #chosen: Said | null = null;
  #frame = 0;

  constructor(model: AnyModel<TimelineTraits>, el: HTMLElement) {
    const { signal } = this.#controller;
    const { lang, labels } = pageLabels(model.get("lang"));
    this.#labels = labels;
    this.#channel = new Channel(model, randomId(), {
      failed: (error) => console.error(error),
      lost: () => {},
    });
    this.#sound = new Sound(() => this.#redraw(), signal);
    const button = (name: keyof typeof ICONS, label: string, act: () => void) => {
      const made = h("button", { type: "button", class: "sn-ghost", "aria-label": label, title: label });
      made.append(icon(ICONS[name]));
      made.addEventListener("click", act);
      return made;
    };
    const tools = h("div", { class: "sn-tools" });
    tools.append(
      button("out", labels.timeline.zoomOut, () => this.#zoom(FACTOR)),
      button("in", labels.timeline.zoomIn, () => this.#zoom(1 / FACTOR)),
      button("all", labels.timeline.all, () => this.#all()),
    );
    setAttribute(this.#canvas, "aria-label", labels.timeline.title);
    this.#play.title = labels.timeline.playTitle;
    const below = h("div", { class: "sn-below" }, this.#play, this.#caption, tools);
    setText(this.#caption, labels.timeline.hint);
    this.#caption.setAttribute("aria-live", "polite");
    this.#root = h(
      "div",
      {
        class: "stepnb-timeline sn-root",
        role: "group",
        "aria-label": labels.timeline.title,
        lang,
        "data-lm-suppress-shortcuts": "true",
      },
      this.#canvas,
      below,
    );
    this.#canvas.style.height = `${HEIGHT}px`;
    this.#play.addEventListener("click", () => this.#toggle());
    this.#listen(signal);
    el.replaceChildren(this.#root);
    followTheme(this.#root, () => this.#redraw(), signal);
    const resized = new ResizeObserver(() => this.#redraw());
    resized.observe(this.#canvas);
    signal.addEventListener("abort", () => resized.disconnect());
    this.#channel.listen(
      {
        scene: (facts) => this.#show(new Scene(facts)),
        sound: ({ turn, who, wav, start }) => this.#sound.take(turn, who, wav, start),
      },
      signal,
    );
    this.#channel.send("look", {});
  }

  close(): void {
    this.#controller.abort();
    cancelAnimationFrame(this.#frame);
  }

  #show(scene: Scene): void {
    this.#scene = scene;
    this.#span = new Span(scene.facts.end);
    this.#chosen = null;
    this.#root.dataset.ready = "true";
    this.#redraw();
  }

  #listen(signal: AbortSignal): void {
    const inner = () => this.#plot().inner;
    gestures(
      this.#canvas,
      {
        drag: (px) => this.#span.pan(-px / inner()),
        scroll: (px) => this.#span.pan(px / inner()),
        pinch: (px, x) => this.#span.zoom(Math.exp(px / 300), this.#plot().share(x)),
        click: (x, y) => this.#click(x, y),
        done: () => this.#redraw(),
      },
      signal,
    );
    this.#root.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the notebook's shortcuts must not hear them
      if (event.target === this.#canvas && this.#key(event.key)) event.preventDefault();
    });
  }

  #key(key: string): boolean {
    const acts: Record<string, () => void> = {
      ArrowLeft: () => this.#span.pan(-STEP),
      ArrowRight: () => this.#span.pan(STEP),
      "+": () => this.#span.zoom(1 / FACTOR),
      "-": () => this.#span.zoom(FACTOR),
      "0": () => this.#span.all(),
      ArrowDown: () => this.#choose(this.#neighbour(1)),
      ArrowUp: () => this.#choose(this.#neighbour(-1)),
      Enter: () => this.#toggle(),
      " ": () => this.#toggle(),
    };
    const act = acts[key];
    if (!act) return false;
    act();
    this.#redraw();
    return true;
  }

  #neighbour(step: 1 | -1): Said | null {
    const said = this.#scene?.said ?? [];
    const now = this.#chosen ? said.indexOf(this.#chosen) : -1;
    return said[Math.min(Math.max(now + step, 0), said.length - 1)] ?? null;
  }

  #click(x: number, y: number): void {
    const side = Plot.side(y);
    const plot = this.#plot();
    const room = (REACH / plot.inner) * this.#span.length;
    const said = side && this.#scene ? this.#scene.at(side, this.#span.time(plot.share(x)), room) : null;
    const same = said !== null && said === this.#chosen;
    this.#choose(said);
    if (said && !(same && this.#sound.said)) this.#listenTo(said);
    else this.#sound.stop();
  }

  #choose(said: Said | null): void {
    if (said !== this.#chosen) this.#sound.stop();
    this.#chosen = said;
    if (said) this.#span.reveal(said.start, said.generated);
    this.#redraw();
  }

  #toggle(): void {
    if (this.#sound.said) this.#sound.stop();
    else if (this.#chosen) this.#listenTo(this.#chosen);
  }

  #listenTo(said: Said): void {
    if (said.turn === null) return;
    this.#sound.want(said);
    this.#channel.send("play", { turn: said.turn, who: said.who });
    this.#redraw();
  }

  #zoom(factor: number): void {
    this.#span.zoom(factor);
    this.#redraw();
  }

  #all(): void {
    this.#span.all();
    this.#redraw();
  }

  #plot(): Plot {
    return new Plot(this.#span, this.#canvas.clientWidth);
  }

  #redraw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    const { clientWidth: width } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    if (!context || !width || !this.#scene) return;
    const scale = devicePixelRatio;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(HEIGHT * scale);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    draw(context, this.#plot(), this.#scene, this.#labels, this.#chosen, this.#sound.time);
    this.#describe();
  }

  #describe(): void {
    const { you, step, timeline, cutOff } = this.#labels;
    const said = this.#chosen;
    this.#root.dataset.playing = String(this.#sound.playing);
    setAttribute(this.#play, "hidden", said === null);
    setText(this.#play, this.#sound.said ? timeline.stop : timeline.play);
    if (!said) {
      setText(this.#caption, timeline.hint);
      return;
    }
    const cut = said.generated - said.end > 0.05;
    const end = cut ? ` · ${fill(cutOff, { s: (said.end - said.start).toFixed(1) })}` : "";
    const who = said.who === "you" ? you : step;
    setText(this.#caption, `${clock(said.start, 0.1)} · ${who}: ${said.text || "…"}${end}`);
  }
}
