import { soundFile } from "../audio/base64.ts";
import type { Said } from "./scene.ts";

/** Plays what was said, one piece at a time, and tells where it is. */
export class Sound {
  readonly #audio = new Audio();
  readonly #moved: () => void;
  #said: Said | null = null;
  #start = 0;
  #frame = 0;

  constructor(moved: () => void, signal: AbortSignal) {
    this.#moved = moved;
    this.#audio.addEventListener("ended", () => this.stop());
    signal.addEventListener("abort", () => this.stop());
  }

  /** What plays or was asked for. */
  get said(): Said | null {
    return this.#said;
  }

  get playing(): boolean {
    return !this.#audio.paused;
  }

  /** The time of the sample that is heard, s; null when nothing plays. */
  get time(): number | null {
    return this.playing ? this.#start + this.#audio.currentTime : null;
  }

  /** This is wanted now; `take` brings it. */
  want(said: Said): void {
    this.stop();
    this.#said = said;
  }

  /** A WAV file as base64, and when its first sample was heard. Unless it is still wanted, nothing happens. */
  take(turn: number, who: string, wav: string | null, start: number): void {
    if (this.#said?.turn !== turn || this.#said.who !== who) return;
    if (wav === null) {
      this.stop();
      return;
    }
    this.#start = start;
    this.#audio.src = URL.createObjectURL(soundFile(wav, "audio/wav"));
    this.#audio.play().then(
      () => this.#follow(),
      () => this.stop(),
    );
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#audio.pause();
    if (this.#audio.src) URL.revokeObjectURL(this.#audio.src);
    this.#audio.removeAttribute("src");
    this.#said = null;
    this.#moved();
  }

  #follow(): void {
    this.#moved();
    if (this.playing) this.#frame = requestAnimationFrame(() => this.#follow());
  }
}
