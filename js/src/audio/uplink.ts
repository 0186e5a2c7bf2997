import { FRAME_MS } from "./format.ts";
import type { Frame } from "./framer.ts";

/**
 * Frames of one message, by how many are unacknowledged: 40 ms while the kernel keeps up, 100 and 200 ms as it falls
 * behind, because a message costs the kernel the same whatever its size. (The kernel cuts them up again: the service
 * asks for 20 to 30 ms.)
 */
const FRAMES = 2;
const FRAMES_SLOW = 100 / FRAME_MS;
const FRAMES_BEHIND = 200 / FRAME_MS;
const SLOW = 300 / FRAME_MS;
const BEHIND = 1000 / FRAME_MS;
/** With so many unacknowledged the kernel is blocked: frames wait here. */
const WINDOW = 2000 / FRAME_MS;
/** Frames that wait at most; then the oldest go. */
const KEPT = 5000 / FRAME_MS;

/** Consecutive frames from number `n` on. */
export interface Batch {
  n: number;
  frames: Frame[];
}

/** The window of microphone frames on their way to the kernel. Pure. */
export class Uplink {
  /** Frames thrown away because the kernel was behind for too long. */
  dropped = 0;
  /** Frames sent and not yet acknowledged. */
  unacked = 0;
  #next = 0;
  #waiting: Frame[] = [];
  /** Messages not yet acknowledged: the last frame number of each, and its frames. */
  #sent: { last: number; count: number }[] = [];

  push(frame: Frame): void {
    this.#waiting.push(frame);
    this.#next += 1;
    if (this.#waiting.length <= KEPT) return;
    this.#waiting.shift();
    this.dropped += 1;
  }

  ack(n: number): void {
    while (this.#sent[0] && this.#sent[0].last <= n) {
      this.unacked -= this.#sent[0].count;
      this.#sent.shift();
    }
  }

  /** Forgets what waits, as if it had never come. */
  discard(): void {
    this.#next -= this.#waiting.length;
    this.#waiting = [];
  }

  /** The next message that is due, or null. With `rest` (talking is over) whatever waits is due. */
  take(rest = false): Batch | null {
    const waiting = this.#waiting.length;
    if (waiting === 0 || (!rest && this.unacked >= WINDOW)) return null;
    const due = this.unacked > BEHIND ? FRAMES_BEHIND : this.unacked > SLOW ? FRAMES_SLOW : FRAMES;
    if (!rest && waiting < due) return null;
    // A backlog goes in large pieces even when the kernel has caught up.
    const count = waiting >= FRAMES_BEHIND || rest ? FRAMES_BEHIND : due;
    const n = this.#next - waiting;
    const frames = this.#waiting.splice(0, count);
    this.#sent.push({ last: n + frames.length - 1, count: frames.length });
    this.unacked += frames.length;
    return { n, frames };
  }
}
