import { FRAME_MS } from "../audio/format.ts";
import type { Frame } from "../audio/framer.ts";

export type Phase = "idle" | "counting" | "recording" | "done";

/** Numbers of the count-in, and how long each stays. */
export const COUNTS = 3;
const COUNT_MS = 700;

/** So many samples in a row at full scale are a wave with its top cut off; the kernel counts as `Clip.quality` does. */
const CLIPPED_RUN = 3;
const FULL_SCALE = 32_767;

/** One recording: counts in, keeps what comes, ends by itself. Its clock is the frames, so that it is exact. Pure. */
export class Take {
  phase: Phase = "idle";
  /** What was kept, and the loudest of each frame with whether it was clipped. */
  frames: Int16Array<ArrayBuffer>[] = [];
  peaks: { peak: number; clipped: boolean }[] = [];
  readonly #longest: number;
  #counted = 0;

  /** `longestMs`: where it ends by itself. */
  constructor(longestMs: number) {
    this.#longest = longestMs;
  }

  get ms(): number {
    return this.frames.length * FRAME_MS;
  }

  /** The number to show while counting in: 3, 2, 1. */
  get count(): number {
    return COUNTS - Math.floor(this.#counted / COUNT_MS);
  }

  /** All that was kept. */
  get pcm(): Int16Array<ArrayBuffer> {
    const pcm = new Int16Array(this.frames.reduce((sum, frame) => sum + frame.length, 0));
    let at = 0;
    for (const frame of this.frames) {
      pcm.set(frame, at);
      at += frame.length;
    }
    return pcm;
  }

  get clipped(): boolean {
    return this.peaks.some(({ clipped }) => clipped);
  }

  begin(): void {
    this.phase = "counting";
    this.#counted = 0;
    this.frames = [];
    this.peaks = [];
  }

  push({ pcm }: Frame): void {
    if (this.phase === "counting") {
      this.#counted += FRAME_MS;
      if (this.#counted >= COUNTS * COUNT_MS) this.phase = "recording";
    } else if (this.phase === "recording") {
      this.frames.push(pcm);
      this.peaks.push({ peak: loudest(pcm), clipped: isClipped(pcm) });
      if (this.ms >= this.#longest) this.phase = "done";
    }
  }

  /** Ends it; while counting in, nothing was recorded. */
  stop(): void {
    if (this.phase === "counting") this.phase = "idle";
    else if (this.phase === "recording") this.phase = this.frames.length ? "done" : "idle";
  }
}

export function loudest(pcm: Int16Array): number {
  let peak = 0;
  for (const sample of pcm) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

export function isClipped(pcm: Int16Array): boolean {
  let run = 0;
  let side = 0;
  for (const sample of pcm) {
    const now = sample >= FULL_SCALE ? 1 : sample <= -FULL_SCALE ? -1 : 0;
    run = now === 0 ? 0 : now === side ? run + 1 : 1;
    side = now;
    if (run >= CLIPPED_RUN) return true;
  }
  return false;
}
