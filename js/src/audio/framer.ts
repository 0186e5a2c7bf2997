import { FRAME_SAMPLES, rms, WIRE_RATE } from "./format.ts";
import { Resampler } from "./resampler.ts";

/** A microphone frame of 20 ms: 480 samples, and their RMS in int16 units. */
export interface Frame {
  pcm: Int16Array<ArrayBuffer>;
  rms: number;
}

/** Turns a microphone's float samples, at any rate and in any block size, into frames at 24 kHz. */
export class Framer {
  readonly #resampler: Resampler;
  #resampled = new Float32Array(0);
  #frame = new Int16Array(FRAME_SAMPLES);
  #filled = 0;

  constructor(deviceRate: number) {
    this.#resampler = new Resampler(deviceRate, WIRE_RATE);
  }

  push(block: Float32Array): Frame[] {
    const room = this.#resampler.outputsFor(block.length);
    if (this.#resampled.length < room) this.#resampled = new Float32Array(room);
    const count = this.#resampler.process(block, this.#resampled);
    const frames: Frame[] = [];
    for (let i = 0; i < count; i++) {
      this.#frame[this.#filled++] = toInt16(this.#resampled[i] as number);
      if (this.#filled < FRAME_SAMPLES) continue;
      frames.push({ pcm: this.#frame, rms: rms(this.#frame) });
      this.#frame = new Int16Array(FRAME_SAMPLES);
      this.#filled = 0;
    }
    return frames;
  }
}

/** Saturates: a loud voice clips, it does not wrap around into noise. */
function toInt16(sample: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
}
