import { toSamples } from "./format.ts";

/** Audio kept before an item starts: 80 ms and 10 ms of margin; 80 ms more at most. */
const START = toSamples(90);
const MOST_EXTRA = toSamples(80);
/** After so much sound what was too much is given back, half of it. */
const CALM = toSamples(60_000);
/** A minute without a late piece promises nothing for the next one. */
const MARGIN = toSamples(20);

/** How much of an item has to be there before it starts: more after a true underrun, less again when it was too much. Pure. */
export class Reserve {
  #extra = 0;
  /** Samples of sound since `#extra` was last looked at, and the most an item would have taken since. */
  #calm = 0;
  #need = 0;

  get samples(): number {
    return START + this.#extra;
  }

  /** An item would have taken so many samples at its start. */
  needed(samples: number): void {
    this.#need = Math.max(this.#need, samples);
  }

  /** An item ran dry that would have taken `need`. Less than one piece of speech more would change nothing. */
  ranDry(need: number, piece: number): void {
    this.#adapt(Math.max(piece, need - this.samples));
  }

  /** So much sound was rendered. */
  lasted(samples: number): void {
    this.#calm += samples;
    if (this.#calm < CALM) return;
    const tooMuch = Math.min(this.#extra, this.samples - this.#need - MARGIN);
    this.#adapt(-Math.max(0, Math.ceil(tooMuch / 2)));
  }

  #adapt(change: number): void {
    this.#extra = Math.max(0, Math.min(MOST_EXTRA, this.#extra + change));
    this.#calm = 0;
    this.#need = 0;
  }
}
