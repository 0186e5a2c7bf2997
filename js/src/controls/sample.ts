import { soundFile } from "../audio/base64.ts";
import { h, icon, setAttribute } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";

const PLAY = "M5 3.2l7.5 4.8L5 12.8z";
const STOP = "M4.5 4.5h7v7h-7z";

type State = "asked" | "playing";

/** The samples of the voices: asked of the kernel once each, one heard at a time. */
export class Sample {
  readonly #labels: Labels;
  readonly #ask: (voice: string) => void;
  readonly #buttons = new Map<string, { button: HTMLButtonElement; name: string }>();
  readonly #sounds = new Map<string, string>();
  readonly #audio = new Audio();
  #current: { voice: string; state: State } | null = null;

  constructor(labels: Labels, ask: (voice: string) => void, signal: AbortSignal) {
    this.#labels = labels;
    this.#ask = ask;
    this.#audio.addEventListener("ended", () => this.#stop());
    signal.addEventListener("abort", () => {
      this.#stop();
      for (const url of this.#sounds.values()) URL.revokeObjectURL(url);
    });
  }

  button(voice: string, name: string): HTMLButtonElement {
    const button = h("button", { type: "button", class: "sn-ghost sn-sample" });
    button.addEventListener("click", () => this.#toggle(voice));
    this.#buttons.set(voice, { button, name });
    this.update();
    return button;
  }

  update(): void {
    for (const [voice, { button, name }] of this.#buttons) {
      const state = this.#current?.voice === voice ? this.#current.state : null;
      button.replaceChildren(icon(state === "playing" ? STOP : PLAY));
      setAttribute(
        button,
        "aria-label",
        state ? this.#labels.sampleStop : fill(this.#labels.sample, { voice: name }),
      );
      button.title = state ? this.#labels.sampleStop : this.#labels.sampleTitle;
      setAttribute(button, "data-state", state ?? undefined);
    }
  }

  /** The kernel's answer: a WAV file as base64, or null. */
  take(voice: string, wav: string | null): void {
    if (wav === null) {
      if (this.#current?.voice === voice) this.#stop();
      return;
    }
    this.#sounds.set(voice, URL.createObjectURL(soundFile(wav, "audio/wav")));
    if (this.#current?.voice === voice) this.#play(voice);
  }

  #toggle(voice: string): void {
    const again = this.#current?.voice === voice;
    this.#stop();
    if (again) return;
    if (this.#sounds.has(voice)) this.#play(voice);
    else {
      this.#current = { voice, state: "asked" };
      this.#ask(voice);
    }
    this.update();
  }

  #play(voice: string): void {
    this.#current = { voice, state: "playing" };
    this.#audio.src = this.#sounds.get(voice) ?? "";
    this.#audio.play().catch(() => this.#stop());
    this.update();
  }

  #stop(): void {
    this.#audio.pause();
    this.#current = null;
    this.update();
  }
}
