import { decodePcm } from "./base64.ts";
import { wavOf } from "./wav.ts";

/** Rows whose sound is kept; the kernel has all of it. */
const KEPT = 6;

export interface RowPlayerEvents {
  /** Asks the kernel for the sound of a row. */
  ask(row: string): void;
  /** What a row does changed, or where it is, s. */
  changed(row: string, playing: "off" | "loading" | "playing" | "paused", at: number): void;
}

/** Plays the sound of one row of the transcript at a time, beside the live answer and never over it; or saves it. */
export class RowPlayer {
  readonly #events: RowPlayerEvents;
  readonly #audio = new Audio();
  /** Blob URLs by row, the oldest first. */
  readonly #sounds = new Map<string, string>();
  /** Pieces that have come of a sound that was asked for. */
  #pieces: Int16Array[] = [];
  #row: string | null = null;
  #at = 0;
  /** The sound that was asked for is to be saved, not played. */
  #saves = false;

  constructor(events: RowPlayerEvents, signal: AbortSignal) {
    this.#events = events;
    for (const event of ["play", "pause", "timeupdate", "seeked"]) {
      this.#audio.addEventListener(event, () => this.#tell());
    }
    this.#audio.addEventListener("ended", () => this.stop());
    signal.addEventListener("abort", () => {
      this.#audio.pause();
      for (const url of this.#sounds.values()) URL.revokeObjectURL(url);
    });
  }

  toggle(row: string): void {
    if (row === this.#row && this.#audio.src) {
      if (this.#audio.paused) this.#play();
      else this.#audio.pause();
    } else if (row === this.#row) {
      this.stop();
    } else {
      this.#begin(row, 0);
    }
  }

  seek(row: string, seconds: number): void {
    if (row !== this.#row) this.#begin(row, seconds);
    else if (this.#audio.src) this.#audio.currentTime = seconds;
    else this.#at = seconds;
  }

  /** Saves the sound of a row as a WAV file. */
  save(row: string): void {
    if (this.#sounds.has(row)) {
      download(this.#sounds.get(row) ?? "", `${row}.wav`);
    } else {
      this.#begin(row, 0);
      this.#saves = true;
    }
  }

  /** Where it is heard, and how loud: "" is the system's choice, 1 is as it is. */
  set(output: string, volume: number): void {
    this.#audio.volume = volume;
    const audio: HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> } = this.#audio;
    // A device that is gone is said where the live answer is heard.
    audio.setSinkId?.(output).catch(() => {});
  }

  /** A live answer is heard, or the view goes. */
  pause(): void {
    if (this.#row !== null && !this.#audio.src) this.stop();
    this.#audio.pause();
  }

  stop(): void {
    const row = this.#row;
    this.#row = null;
    this.#saves = false;
    this.#audio.pause();
    this.#audio.removeAttribute("src");
    this.#pieces = [];
    if (row !== null) this.#events.changed(row, "off", 0);
  }

  /** A piece of a sound; `of` is how many there are. */
  take(row: string, n: number, of: number, pcm: string): void {
    if (row !== this.#row || this.#audio.src || n !== this.#pieces.length) return;
    this.#pieces.push(decodePcm(pcm));
    if (this.#pieces.length < of) return;
    this.#keep(row, URL.createObjectURL(wavOf(this.#pieces)));
    this.#pieces = [];
    if (this.#saves) {
      this.stop();
      this.save(row);
    } else {
      this.#load(row);
    }
  }

  #begin(row: string, at: number): void {
    this.stop();
    this.#row = row;
    this.#at = at;
    if (this.#sounds.has(row)) {
      this.#load(row);
    } else {
      this.#events.changed(row, "loading", at);
      this.#events.ask(row);
    }
  }

  #load(row: string): void {
    const url = this.#sounds.get(row) ?? "";
    this.#keep(row, url);
    this.#audio.src = url;
    this.#audio.currentTime = this.#at;
    this.#play();
  }

  #play(): void {
    this.#audio.play().catch(() => this.stop());
  }

  #keep(row: string, url: string): void {
    this.#sounds.delete(row);
    this.#sounds.set(row, url);
    for (const [oldest, old] of this.#sounds) {
      if (this.#sounds.size <= KEPT) break;
      URL.revokeObjectURL(old);
      this.#sounds.delete(oldest);
    }
  }

  #tell(): void {
    if (this.#row === null || !this.#audio.src) return;
    this.#events.changed(this.#row, this.#audio.paused ? "paused" : "playing", this.#audio.currentTime);
  }
}

function download(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}
