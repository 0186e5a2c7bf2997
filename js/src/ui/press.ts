/** A press held for so long is push-to-talk and ends with its release; a shorter one is a toggle. */
const HOLD_MS = 300;

export interface PressEvents {
  /** Pressed: not known yet for how long. */
  down(): void;
  /** The press has become one of these. */
  decide(how: "toggle" | "hold"): void;
  /** A held press was released. */
  release(): void;
}

/** Tells a click from a hold, for pointer and keyboard alike. */
export class Press {
  readonly #events: PressEvents;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #held = false;

  constructor(events: PressEvents) {
    this.#events = events;
  }

  down(): void {
    if (this.#timer !== null || this.#held) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#held = true;
      this.#events.decide("hold");
    }, HOLD_MS);
    this.#events.down();
  }

  up(): void {
    if (this.#held) {
      this.#held = false;
      this.#events.release();
    } else if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.#events.decide("toggle");
    }
  }
}
