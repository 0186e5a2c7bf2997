import { FRAME_MS } from "./format.ts";

/** How much later than played an echo may come in, in steps of 20 ms: 400 ms. */
const MOST_DELAY = 20;
/** Played sound below this level, RMS, says nothing. */
const AUDIBLE = 100;
/** Pieces of 20 ms that are compared at a time: 1.6 s. */
const PIECES = 80;
/** Of those the microphone's must be as loud as speech in so many: what is quieter does no harm. */
const LEAST_LOUD = PIECES / 10;
/** Two voices that have nothing to do with each other stay below this correlation, an echo does not. */
const ALIKE = 0.7;
/** So many comparisons in a row have to agree. */
const CONFIRMED = 2;

/**
 * Finds out whether the microphone hears the loudspeaker: the level of what it brings follows the level of what is
 * played, some time later. Levels and not samples, because a room, a codec and an echo canceller that is still learning
 * change everything else. Only times with sound count, because an answer that hears itself is cut off at once, and is
 * heard in short pieces. Pure: page times (ms) come in with every call.
 */
export class EchoDetector {
  /** The levels last played, by the number of their 20 ms. */
  readonly #played = new Map<number, number>();
  #compared = sums();
  #pieces = 0;
  #loud = 0;
  #agreed = 0;

  /** 20 ms of sound that reach the ear at page time `at`. */
  played(rms: number, at: number): void {
    const piece = Math.floor(at / FRAME_MS);
    // Reports come a little early and late: two in one piece leave the one before it empty.
    if (!this.#played.has(piece - 1) && this.#played.has(piece - 2)) this.#played.set(piece - 1, rms);
    this.#played.set(piece, rms);
    for (const oldest of this.#played.keys()) {
      if (this.#played.size <= 4 * MOST_DELAY) break;
      this.#played.delete(oldest);
    }
  }

  /** 20 ms of the microphone, and from which level on sound may be speech; true: it hears itself. */
  heard(rms: number, now: number, threshold: number): boolean {
    const piece = Math.floor(now / FRAME_MS);
    const before = Array.from({ length: MOST_DELAY + 1 }, (_, delay) => this.#played.get(piece - delay) ?? 0);
    if (!before.some((level) => level > AUDIBLE)) return false;
    const y = loudness(rms);
    for (const [delay, level] of before.entries()) add(this.#compared[delay] as Sums, loudness(level), y);
    this.#pieces += 1;
    if (rms >= threshold) this.#loud += 1;
    if (this.#pieces < PIECES) return false;
    const agrees =
      this.#loud >= LEAST_LOUD && this.#compared.some((all) => correlation(all, PIECES) >= ALIKE);
    this.#agreed = agrees ? this.#agreed + 1 : 0;
    this.#compared = sums();
    this.#pieces = this.#loud = 0;
    return this.#agreed >= CONFIRMED;
  }
}

interface Sums {
  x: number;
  y: number;
  xx: number;
  yy: number;
  xy: number;
}

/** One for each delay. */
function sums(): Sums[] {
  return Array.from({ length: MOST_DELAY + 1 }, () => ({ x: 0, y: 0, xx: 0, yy: 0, xy: 0 }));
}

function add(all: Sums, x: number, y: number): void {
  all.x += x;
  all.y += y;
  all.xx += x * x;
  all.yy += y * y;
  all.xy += x * y;
}

function loudness(rms: number): number {
  return Math.log2(1 + rms / 32);
}

/** Pearson's coefficient, 0 where one of the two does not vary. */
function correlation({ x, y, xx, yy, xy }: Sums, n: number): number {
  const spread = (xx - (x * x) / n) * (yy - (y * y) / n);
  return spread > 1e-6 ? (xy - (x * y) / n) / Math.sqrt(spread) : 0;
}
