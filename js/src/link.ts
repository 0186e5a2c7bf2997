import type { Up } from "./envelope.ts";

/** Milliseconds after which an unanswered ping means that the kernel is busy. */
const LAG_MS = 1000;
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

  /** Kernel clock minus page clock, ms. */
  get offset(): number | null {
    const [first, ...others] = this.#measured;
    return first ? others.reduce((best, next) => (next.rtt < best.rtt ? next : best), first).offset : null;
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
  }

  /** Anything else that shows the kernel taking messages. */
  alive(now: number): void {
    this.#heard = now;
  }

  lagging(now: number): boolean {
    return this.#asked !== null && now - Math.max(this.#asked, this.#heard) > LAG_MS;
  }
}
