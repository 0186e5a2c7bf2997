/** A page whose timer was silent for so long was not only slow: browsers let hidden pages wait for a minute. */
const ASLEEP_MS = 90_000;

/** Notices that the computer slept. Pure: times are the wall clock's, ms, because others may stand still meanwhile. */
export class Sleep {
  #last: number;

  /** `now`: the lid may be closed before anything was asked. */
  constructor(now: number) {
    this.#last = now;
  }

  /** To be called all the time; true once after a sleep. */
  woke(now: number): boolean {
    const slept = now - this.#last > ASLEEP_MS;
    this.#last = now;
    return slept;
  }
}
