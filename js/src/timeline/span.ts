/** The shortest stretch of time that is shown, s: a frame of levels is then some pixels wide. */
const SHORTEST = 0.5;

/** Which part of a conversation is shown. It never leaves the conversation and is never longer than it. */
export class Span {
  #start = 0;
  #length: number;
  readonly #end: number;

  constructor(end: number) {
    this.#end = Math.max(end, SHORTEST);
    this.#length = this.#end;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.#length;
  }

  get length(): number {
    return this.#length;
  }

  get whole(): boolean {
    return this.#length >= this.#end;
  }

  /** The time at a share of the width. */
  time(share: number): number {
    return this.#start + share * this.#length;
  }

  /** The share of the width at a time. */
  share(time: number): number {
    return (time - this.#start) / this.#length;
  }

  /** Moves by a share of the width. */
  pan(share: number): void {
    this.#place(this.#start + share * this.#length);
  }

  /** Shows a stretch that is so many times as long; what is at a share of the width stays there. */
  zoom(factor: number, share = 0.5): void {
    const fixed = this.time(share);
    this.#length = Math.min(this.#end, Math.max(SHORTEST, this.#length * factor));
    this.#place(fixed - share * this.#length);
  }

  all(): void {
    this.#length = this.#end;
    this.#place(0);
  }

  /** Moves as little as needed to show a stretch, or its beginning when it is too long. */
  reveal(start: number, end: number): void {
    const margin = 0.05 * this.#length;
    if (end + margin > this.end) this.#place(end + margin - this.#length);
    if (start - margin < this.#start) this.#place(start - margin);
  }

  #place(start: number): void {
    this.#start = Math.min(Math.max(start, 0), this.#end - this.#length);
  }
}

/** A step of the axis, s, so that its labels are at least `least` seconds apart. */
export function axisStep(least: number): number {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800];
  return steps.find((step) => step >= least) ?? 3600;
}

/** A time as minutes and seconds, 1:02, with tenths where the steps are shorter than a second. */
export function clock(seconds: number, step = 1): string {
  const places = step < 1 ? 1 : 0;
  const rounded = Number(seconds.toFixed(places));
  const minutes = Math.floor(rounded / 60);
  const rest = (rounded - 60 * minutes).toFixed(places);
  return `${minutes}:${rest.padStart(places ? 4 : 2, "0")}`;
}
