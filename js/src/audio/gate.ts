import type { Frame } from "./framer.ts";

/** The room rings on, and the loudspeaker's own delay is not known exactly, ms. */
const TAIL_MS = 250;

/** The half-duplex gate: while the loudspeaker plays, the microphone brings silence. Pure. */
export class Gate {
  on = false;
  #until = Number.NEGATIVE_INFINITY;

  /** Sound reaches the ear at page time `at`, ms. */
  sounded(at: number): void {
    this.#until = Math.max(this.#until, at + TAIL_MS);
  }

  /** The frame, or silence of the same length: the service's clock goes by samples, so that none may be missing. */
  pass(frame: Frame, now: number): Frame {
    const closed = this.on && now < this.#until;
    return closed ? { pcm: new Int16Array(frame.pcm.length), rms: 0 } : frame;
  }
}
