import type { Up } from "./envelope.ts";

/** Milliseconds after which an unanswered ping means that the kernel is busy. */
const LAG_MS = 1000;
/** A ping unanswered for so long counts as lost, and the next one goes out. */
const LOST_MS = 10_000;

/** Round trip and clock offset between page and kernel, and whether the kernel answers at all. Pure. */
export class Link {
  /** The last measured round trip, ms, and kernel clock minus page clock, ms. */
  rtt: number | null = null;
  offset: number | null = null;
  #asked: number | null = null;
  #heard = Number.NEGATIVE_INFINITY;

  /** The ping to send now, or null while one is on its way: a stalled kernel must not find a queue of them. */
  ping(now: number): Up["ping"] | null {
    if (this.#asked !== null && now - this.#asked < LOST_MS) return null;
    this.#asked = now;
    return { rtt: this.rtt, offset: this.offset };
  }

  pong(echo: number, kernel: number, now: number): void {
    this.rtt = now - echo;
    this.offset = kernel - (echo + this.rtt / 2);
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
