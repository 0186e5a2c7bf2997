import { soundFile } from "../audio/base64.ts";

/**
 * One player for many sounds of the same text: going to another one goes on at the same place, as a share of its length.
 */
export class Transport {
  readonly #audio = new Audio();
  readonly #urls = new Map<string, string>();
  readonly #ask: (cell: string) => void;
  readonly #changed: () => void;
  /** What is chosen, and the group of sounds it belongs to. */
  cell: string | null = null;
  group: string | null = null;
  /** Where it is, as a share of its length. */
  #share = 0;
  #wanted = false;
  /** The player has the chosen sound, and not still the one before. */
  #loaded = false;

  constructor(ask: (cell: string) => void, changed: () => void, signal: AbortSignal) {
    this.#ask = ask;
    this.#changed = changed;
    this.#audio.addEventListener("ended", () => {
      this.#wanted = false;
      this.#share = 0;
      this.#changed();
    });
    this.#audio.addEventListener("loadedmetadata", () => {
      if (Number.isFinite(this.#audio.duration)) this.#audio.currentTime = this.#share * this.#audio.duration;
      this.#loaded = true;
    });
    signal.addEventListener("abort", () => {
      this.stop();
      this.forget();
    });
  }

  get playing(): boolean {
    return this.#wanted;
  }

  get share(): number {
    const { duration, currentTime } = this.#audio;
    if (this.#wanted && this.#loaded && Number.isFinite(duration) && duration > 0)
      this.#share = Math.min(1, currentTime / duration);
    return this.#share;
  }

  /** Plays a sound: from where its group is, or from `share` on. */
  play(cell: string, group: string, share?: number): void {
    const at = share ?? (group === this.group ? this.share : 0);
    this.#audio.pause();
    this.#loaded = false;
    this.cell = cell;
    this.group = group;
    this.#share = at >= 0.99 ? 0 : at;
    this.#wanted = true;
    const url = this.#urls.get(cell);
    if (url) this.#start(url);
    else this.#ask(cell);
    this.#changed();
  }

  pause(): void {
    this.#share = this.share;
    this.#wanted = false;
    this.#audio.pause();
    this.#changed();
  }

  stop(): void {
    this.#wanted = false;
    this.#share = 0;
    this.#audio.pause();
    this.#changed();
  }

  /** The kernel's answer. */
  take(cell: string, wav: string | null): void {
    if (wav === null) {
      if (cell === this.cell) this.stop();
      return;
    }
    const url = URL.createObjectURL(soundFile(wav, "audio/wav"));
    const before = this.#urls.get(cell);
    if (before) URL.revokeObjectURL(before);
    this.#urls.set(cell, url);
    if (this.#wanted && cell === this.cell) this.#start(url);
  }

  /** Forgets sounds that mean something else from now on; none named: all. */
  forget(...cells: string[]): void {
    for (const cell of cells.length ? cells : [...this.#urls.keys()]) {
      const url = this.#urls.get(cell);
      if (url) URL.revokeObjectURL(url);
      this.#urls.delete(cell);
    }
  }

  #start(url: string): void {
    this.#loaded = false;
    this.#audio.src = url;
    this.#audio.play().catch(() => this.stop());
  }
}
