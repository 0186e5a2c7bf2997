import { toSamples } from "../audio/format.ts";
import type { Frame } from "../audio/framer.ts";
import type { MicState } from "../audio/microphone.ts";
import { type MicrophoneOwner, releaseMicrophone, takeMicrophone } from "../page.ts";
import { Chooser } from "../ui/chooser.ts";
import { h, setAttribute, setText } from "../ui/dom.ts";
import type { Labels, MicTrouble } from "../ui/labels.ts";
import { Notes } from "../ui/notes.ts";
import { lineOf } from "./line.ts";
import { Playback } from "./playback.ts";
import { Selection } from "./selection.ts";
import { Source } from "./source.ts";
import { Take } from "./take.ts";
import { Wave } from "./wave.ts";

export interface BoothEvents {
  /** A recording was made. */
  take(frames: Int16Array<ArrayBuffer>[]): void;
  /** A file was chosen, as base64. */
  file(name: string, data: string): void;
  /** Another part of it is meant, s. */
  trim(start: number, end: number): void;
  script(text: string): void;
  /** The kernel's microphone is wanted, or not any more; null: the kernel offers none. */
  listen: ((on: boolean) => void) | null;
  error(error: unknown): void;
}

/** Where a voice is recorded: the text, the level, the recording with its handles. */
export class Booth implements MicrophoneOwner {
  readonly element: HTMLElement;
  readonly notes: Notes;
  readonly #labels: Labels;
  readonly #events: BoothEvents;
  readonly #window: [number, number];
  readonly source: Source;
  readonly #take: Take;
  readonly #wave: Wave;
  readonly #playback: Playback;
  readonly #script = h("p", { class: "sn-script" });
  readonly #line = h("div", { class: "sn-line sn-num", role: "status" });
  readonly #record: HTMLButtonElement;
  readonly #word = h("span");
  readonly #play: HTMLButtonElement;
  readonly #choose: HTMLButtonElement;
  readonly #another: HTMLButtonElement;
  #pcm: Int16Array<ArrayBuffer> | null = null;
  #selection: Selection | null = null;

  /** `window`: how long the recording should be, ms. */
  constructor(labels: Labels, window: [number, number], events: BoothEvents, signal: AbortSignal) {
    const words = labels.recorder;
    this.#labels = labels;
    this.#events = events;
    this.#window = window;
    this.notes = new Notes(labels);
    this.#take = new Take(window[1]);
    this.#wave = new Wave(labels, window, (done) => this.#trimmed(done), signal);
    this.#playback = new Playback(() => this.#update(), signal);
    this.source = new Source({
      frame: (frame) => this.#frame(frame),
      state: (state) => this.#micState(state),
      elsewhere: (on) => events.listen?.(on),
    });
    this.#record = this.#button("sn-primary", words.tips.record, () => this.#toggle());
    this.#record.append(h("span", { class: "sn-rec" }), this.#word);
    this.#play = this.#button("", words.tips.play, () => this.#togglePlay());
    const chooser = new Chooser({
      file: (name, data) => {
        this.notes.clear("file");
        events.file(name, data);
      },
      tooLarge: () => this.notes.set("file", { level: "warning", text: words.large, fix: words.largeFix }),
      error: events.error,
    });
    this.#choose = this.#button("", words.tips.load, () => chooser.open(), words.load);
    this.#another = this.#button("sn-link", words.tips.another, () => this.#next(), words.another);
    this.element = h(
      "div",
      { class: "sn-booth" },
      this.notes.element,
      h(
        "div",
        { class: "sn-read" },
        h("div", { class: "sn-hint" }, words.read, " ", this.#another),
        this.#script,
      ),
      this.#wave.element,
      h("div", { class: "sn-dockrow" }, this.#record, this.#play, this.#choose, chooser.element, this.#line),
    );
    signal.addEventListener("abort", () => this.#close());
    this.#update();
  }

  script(text: string): void {
    setText(this.#script, text);
  }

  /** Shows a recording that the kernel has; `start` and `end` in s, null: as much of it as is allowed. */
  show(pcm: Int16Array<ArrayBuffer>, trim: [number, number] | null): void {
    this.#playback.stop();
    this.#pcm = pcm;
    this.#selection = new Selection((pcm.length / toSamples(1000)) * 1000, this.#window[1]);
    if (trim) {
      this.#selection.moveEnd(trim[1] * 1000);
      this.#selection.moveStart(trim[0] * 1000);
    }
    this.#wave.show({ pcm, selection: this.#selection });
    this.#update();
  }

  redraw(): void {
    this.#wave.draw();
  }

  /** What was asked of the kernel could not be done. */
  refused(text: string, fix: string | null): void {
    const subject = this.source.elsewhere ? "mic" : "file";
    if (this.source.elsewhere) this.#end();
    this.notes.set(subject, { level: "warning", text, fix });
  }

  yieldMicrophone(): void {
    if (!this.source.on) return;
    this.#end();
    this.notes.set("owner", { level: "info", text: this.#labels.otherView });
  }

  #toggle(): void {
    if (this.source.on) this.#end();
    else this.#begin(() => this.source.start().catch(this.#events.error));
  }

  #begin(start: () => void): void {
    this.#playback.stop();
    this.notes.clear("mic");
    this.notes.clear("owner");
    takeMicrophone(this);
    start();
  }

  #frame(frame: Frame): void {
    this.#take.push(frame);
    if (this.#take.phase === "done") this.#end();
    else this.#update();
    this.#wave.draw();
  }

  /** Closes the microphone and keeps what was recorded. */
  #end(): void {
    this.#take.stop();
    this.source.stop();
    releaseMicrophone(this);
    if (this.#take.phase === "done") {
      this.#events.take(this.#take.frames);
      this.show(this.#take.pcm, null);
      this.#tellTrim();
      if (this.#take.clipped) {
        const { clipped, clippedFix } = this.#labels.recorder;
        this.notes.set("clipped", { level: "warning", text: clipped, fix: clippedFix });
      }
      this.#take.phase = "idle";
    } else if (this.#pcm && this.#selection) {
      this.#wave.show({ pcm: this.#pcm, selection: this.#selection });
    } else {
      this.#wave.show(null);
    }
    this.#update();
  }

  #micState(state: MicState): void {
    if (state === "live" && this.#take.phase === "idle") {
      this.notes.clear("clipped");
      this.#take.begin();
      this.#wave.show({ take: this.#take });
    }
    const [text, fix] = this.#labels.recorder.mic[state as MicTrouble] ?? [];
    if (text) {
      const { elsewhere, tips } = this.#labels.recorder;
      const run = () => this.#begin(() => this.source.startElsewhere());
      const actions = this.#events.listen ? [{ label: elsewhere, title: tips.elsewhere, run }] : [];
      this.notes.set("mic", { level: "warning", text, fix, actions });
      this.#end();
    }
    this.#update();
  }

  #trimmed(done: boolean): void {
    this.#playback.stop();
    if (done) this.#tellTrim();
    this.#update();
  }

  #tellTrim(): void {
    if (this.#selection) this.#events.trim(this.#selection.start / 1000, this.#selection.end / 1000);
  }

  #togglePlay(): void {
    const [selection, was] = [this.#selection, this.#playback.playing];
    this.#playback.stop();
    if (was || !this.#pcm || !selection) return;
    this.#playback.play(this.#pcm.slice(toSamples(selection.start), toSamples(selection.end)));
    const follow = () => {
      const playing = this.#playback.playing && this.#selection === selection;
      this.#wave.play(playing ? selection.start + this.#playback.ms : null);
      if (playing) requestAnimationFrame(follow);
    };
    requestAnimationFrame(follow);
  }

  #next(): void {
    const { scripts } = this.#labels.recorder;
    const at = scripts.indexOf(this.#script.textContent ?? "");
    const text = scripts[(at + 1) % scripts.length] ?? "";
    this.script(text);
    this.#events.script(text);
  }

  #button(kind: string, title: string, pressed: () => void, label = ""): HTMLButtonElement {
    const button = h("button", { type: "button", class: kind || "sn-button", title }, label);
    button.addEventListener("click", pressed);
    return button;
  }

  #update(): void {
    const words = this.#labels.recorder;
    const [{ phase }, on] = [this.#take, this.source.on];
    setText(
      this.#word,
      on ? (phase === "recording" ? words.stop : words.cancel) : this.#pcm ? words.retake : words.record,
    );
    setAttribute(this.#record, "aria-pressed", String(on));
    setText(this.#play, this.#playback.playing ? words.stop : words.play);
    this.#play.disabled = on || !this.#pcm;
    this.#choose.disabled = on;
    this.#another.disabled = on;
    this.element.dataset.phase = on ? phase : this.#pcm ? "done" : "idle";
    const loud = on && (this.#take.peaks.at(-1)?.clipped || (phase === "recording" && this.#take.clipped));
    setAttribute(this.#line, "data-loud", loud ? "true" : undefined);
    setText(this.#line, lineOf(this.#labels, this.#window, on ? this.#take : null, this.#selection));
  }

  #close(): void {
    this.source.close();
    releaseMicrophone(this);
  }
}
