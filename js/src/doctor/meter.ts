import type { Channel } from "../channel.ts";
import type { DoctorDown, DoctorUp } from "./contract.ts";
import type { Measured } from "./judge.ts";

const PINGS = 20;
/** A ping without an answer for so long is lost, ms. */
const LOST_MS = 3000;
/** The kernel is busy with something else when it cannot be held within this, ms. */
const HELD_MS = 5000;

/** Measures round trips to the kernel, one after the other: idle, and while it is kept busy. */
export class Meter {
  /** Whether the last message was taken in beside the thread of the cells. */
  beside = false;
  readonly #channel: Channel<DoctorUp, DoctorDown>;
  readonly #signal: AbortSignal;
  #answered: (at: number) => void = () => {};
  #told: (on: boolean | null) => void = () => {};
  #held = false;

  constructor(channel: Channel<DoctorUp, DoctorDown>, signal: AbortSignal) {
    this.#channel = channel;
    this.#signal = signal;
  }

  pong({ beside }: DoctorDown["pong"]): void {
    this.beside = beside;
    this.#answered(performance.now());
  }

  held({ on }: DoctorDown["held"]): void {
    this.#held = on === true;
    this.#told(on);
  }

  idle(): Promise<Measured> {
    return this.#measure(() => true);
  }

  /** Null: the kernel could not be kept busy, or is busy already. */
  async busy(): Promise<Measured | null> {
    const held = within<boolean | null>(HELD_MS, this.#signal, (resolve) => {
      this.#told = resolve;
    });
    this.#channel.send("hold", {});
    if ((await held) !== true) return null;
    return await this.#measure(() => this.#held);
  }

  async #measure(wanted: () => boolean): Promise<Measured> {
    const times: number[] = [];
    while (times.length < PINGS && wanted() && !this.#signal.aborted) {
      const asked = performance.now();
      const answer = within<number>(LOST_MS, this.#signal, (resolve) => {
        this.#answered = resolve;
      });
      this.#channel.send("ping", {});
      const at = await answer;
      if (at === null) return { times, lost: true };
      times.push(at - asked);
    }
    return { times, lost: false };
  }
}

/** What `begin` resolves to; null when it takes longer, or the view goes. */
export function within<T>(
  ms: number,
  signal: AbortSignal,
  begin: (resolve: (value: T) => void) => void,
): Promise<T | null> {
  return new Promise((resolve) => {
    const end = (value: T | null) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", give);
      resolve(value);
    };
    const give = () => end(null);
    const timer = setTimeout(give, ms);
    signal.addEventListener("abort", give);
    if (signal.aborted) give();
    else begin(end);
  });
}
