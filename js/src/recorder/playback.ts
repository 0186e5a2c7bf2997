import { WIRE_RATE } from "../audio/format.ts";

/** Plays pieces of 24 kHz sound, one at a time. */
export class Playback {
  readonly #audio = new Audio();
  readonly #changed: () => void;
  #url = "";

  constructor(changed: () => void, signal: AbortSignal) {
    this.#changed = changed;
    this.#audio.addEventListener("ended", () => this.stop());
    signal.addEventListener("abort", () => this.stop());
  }

  get playing(): boolean {
    return this.#url !== "";
  }

  /** How far it is, ms. */
  get ms(): number {
    return this.#audio.currentTime * 1000;
  }

  play(pcm: Int16Array<ArrayBuffer>): void {
    this.stop();
    this.#url = URL.createObjectURL(new Blob([wav(pcm)], { type: "audio/wav" }));
    this.#audio.src = this.#url;
    this.#audio.play().catch(() => this.stop());
    this.#changed();
  }

  stop(): void {
    if (!this.#url) return;
    this.#audio.pause();
    URL.revokeObjectURL(this.#url);
    this.#url = "";
    this.#changed();
  }
}

/** A WAV file of 24 kHz mono PCM16. */
export function wav(pcm: Int16Array): ArrayBuffer {
  const bytes = new ArrayBuffer(44 + pcm.length * 2);
  const view = new DataView(bytes);
  const text = (at: number, what: string) => {
    for (let i = 0; i < what.length; i++) view.setUint8(at + i, what.charCodeAt(i));
  };
  text(0, "RIFF");
  view.setUint32(4, 36 + pcm.length * 2, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, WIRE_RATE, true);
  view.setUint32(28, WIRE_RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, pcm.length * 2, true);
  new Int16Array(bytes, 44).set(pcm);
  return bytes;
}
