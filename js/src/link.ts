import type { Up } from "./envelope.ts";

/**
 * How the kernel takes what the page sends: at once, late, or not at all because a running cell is in the way.
 * Measured from the page's side only: a busy kernel that takes messages beside the cell is live.
 */
export type Health = "live" | "slow" | "blocked";

/** Milliseconds without an answer from which on the kernel is slow, and blocked. */
const SLOW_MS = 300;
const BLOCKED_MS = 1000;
/** A worse state stays for so long after its cause: a badge that flickers is not read. */
const STAYS_MS = 1000;
/** A ping unanswered for so long counts as lost, and the next one goes out. */
const LOST_MS = 10_000;

/** Round trips of which the shortest tells the offset: a slow one is slow in one direction. */
const REMEMBERED = 20;

/** Round trip and clock offset between page and kernel, and whether the kernel answers at all. Pure. */
export class Link {
  /** The last measured round trip, ms. */
  rtt: number | null = null;
  #measured: { rtt: number; offset: number }[] = [];
  #asked: number | null = null;
  #heard = Number.NEGATIVE_INFINITY;
  #slowAt = Number.NEGATIVE_INFINITY;
  #blockedAt = Number.NEGATIVE_INFINITY;

  /** Kernel clock minus page clock, ms. */
  get offset(): number | null {
    const [first, ...others] = this.#measured;
    return first ? others.reduce((best, next) => (next.rtt < best.rtt ? next : best), first).offset : null;
  }

  /** Whether more round trips are wanted at once: the first ones fall into the page's busiest moment. */
  get learning(): boolean {
    return this.#measured.length < 5;
  }

  /** The ping to send now, or null while one is on its way: a stalled kernel must not find a queue of them. */
  ping(now: number): Up["ping"] | null {
    if (this.#asked !== null && now - this.#asked < LOST_MS) return null;
    this.#asked = now;
    return { rtt: this.rtt, offset: this.offset };
  }

  pong(echo: number, kernel: number, now: number): void {
    const rtt = now - echo;
    this.rtt = rtt;
    this.#measured = [...this.#measured, { rtt, offset: kernel - (echo + rtt / 2) }].slice(-REMEMBERED);
    this.#asked = null;
    if (rtt > SLOW_MS) this.#slowAt = now;
  }

  /** Anything else that shows the kernel taking messages. */
  alive(now: number): void {
    this.#heard = now;
  }

  /** `unackedMs`: microphone audio on its way to the kernel. */
  health(now: number, unackedMs: number): Health {
    const waited = this.#asked === null ? 0 : now - Math.max(this.#asked, this.#heard);
    const late = Math.max(waited, unackedMs);
    if (late > BLOCKED_MS) this.#blockedAt = now;
    if (late > SLOW_MS) this.#slowAt = now;
    if (late > BLOCKED_MS || (late > SLOW_MS && now - this.#blockedAt < STAYS_MS)) return "blocked";
    return now - this.#slowAt < STAYS_MS ? "slow" : "live";
  }
}
