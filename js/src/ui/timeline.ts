import { FRAME_MS, FRAME_SAMPLES } from "../audio/format.ts";

/** 20 ms of sound: when it was heard, and how loud it was, RMS in int16 units. */
export interface Bar {
  t: number;
  rms: number;
}

/** What the ribbon shows of the past, ms; and how long it runs on after the last sound. */
export const PAST_MS = 20_000;
const IDLE_MS = 400;

/**
 * The last 20 seconds of both sides on one time axis. Pure: page times (ms) come in with every call.
 *
 * The axis stands still while nothing sounds, so that the last exchange stays in sight; `pauses` marks where it did.
 */
export class Timeline {
  you: Bar[] = [];
  step: Bar[] = [];
  /** Dropped before it was heard, at the times at which it would have been. */
  unheard: Bar[] = [];
  cuts: number[] = [];
  pauses: number[] = [];
  /** Speech that waits to be played: levels of its 20 ms pieces, and how many of them were rendered. */
  #queue: { item: string; levels: number[]; sum: number; count: number; done: number }[] = [];
  #idleTotal = 0;
  #movedAt = Number.NEGATIVE_INFINITY;

  /** Time on the axis at page time `now`. */
  clock(now: number): number {
    return Math.min(now, this.#movedAt + IDLE_MS) - this.#idleTotal;
  }

  moving(now: number): boolean {
    return now < this.#movedAt + IDLE_MS;
  }

  heardYou(level: number, now: number): void {
    this.#move(now);
    this.you.push({ t: this.clock(now), rms: level });
    this.#prune(now);
  }

  heardStep(level: number, at: number, now: number): void {
    this.#move(now);
    this.step.push({ t: at - this.#idleTotal, rms: level });
    this.#prune(now);
  }

  /** Speech has come in, to be played after what is already waiting. */
  queue(item: string, pcm: Int16Array): void {
    let entry = this.#queue.find((candidate) => candidate.item === item);
    if (!entry) {
      entry = { item, levels: [], sum: 0, count: 0, done: 0 };
      this.#queue.push(entry);
    }
    // Messages are cut anywhere; bars are not.
    for (const sample of pcm) {
      entry.sum += sample * sample;
      if (++entry.count < FRAME_SAMPLES) continue;
      entry.levels.push(Math.sqrt(entry.sum / FRAME_SAMPLES));
      entry.sum = entry.count = 0;
    }
  }

  /** So many samples of an item were rendered; with `over` there are no more of it. */
  progress(item: string, samples: number, over: boolean): void {
    const entry = this.#queue.find((candidate) => candidate.item === item);
    if (entry) entry.done = Math.floor(samples / FRAME_SAMPLES);
    if (over) this.#queue = this.#queue.filter((other) => other !== entry);
  }

  /** What waits, at the times at which it will be heard, as far as `ms` ahead. */
  ahead(now: number, ms: number): Bar[] {
    const start = this.clock(now);
    const levels = this.#queue.flatMap((entry) => entry.levels.slice(entry.done));
    return levels
      .slice(0, Math.ceil(ms / FRAME_MS))
      .map((level, i) => ({ t: start + i * FRAME_MS, rms: level }));
  }

  /** Forgets what waits and gives it back, for `cut`. */
  drop(now: number): Bar[] {
    const dropped = this.ahead(now, PAST_MS);
    this.#queue = [];
    return dropped;
  }

  /** The answer was cut off at page time `at`; what was dropped is never heard. */
  cut(at: number, dropped: Bar[], now: number): void {
    this.#move(now);
    this.cuts.push(at - this.#idleTotal);
    this.unheard.push(...dropped);
  }

  #move(now: number): void {
    const idle = now - (this.#movedAt + IDLE_MS);
    if (idle > 0 && Number.isFinite(idle)) {
      this.pauses.push(this.clock(now));
      this.#idleTotal += idle;
    }
    this.#movedAt = Math.max(now, this.#movedAt);
  }

  #prune(now: number): void {
    const oldest = this.clock(now) - PAST_MS;
    for (const bars of [this.you, this.step, this.unheard]) {
      while (bars[0] && bars[0].t < oldest) bars.shift();
    }
    for (const marks of [this.cuts, this.pauses])
      while (marks[0] !== undefined && marks[0] < oldest) marks.shift();
  }
}
