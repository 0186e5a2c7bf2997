import { encodePcm } from "./audio/base64.ts";
import type { Frame } from "./audio/framer.ts";
import { Uplink } from "./audio/uplink.ts";
import type { Up } from "./envelope.ts";

export interface TalkEvents {
  openMicrophone(): void;
  closeMicrophone(): void;
  talk(fields: Up["talk"]): void;
  mic(fields: Up["mic"]): void;
}

/**
 * Talking: from the press of the button to the last frame on its way to the kernel.
 *
 * The microphone opens with the press, before it is known whether it is a click or a hold; frames wait until then,
 * so that no word is lost.
 */
export class Talk {
  readonly uplink = new Uplink();
  how: "toggle" | "hold" | null = null;
  readonly #events: TalkEvents;
  #pressed = false;

  constructor(events: TalkEvents) {
    this.#events = events;
  }

  get on(): boolean {
    return this.#pressed || this.how !== null;
  }

  down(): void {
    // A press while talking ends it, but only when it is released or held: see `decide`.
    if (this.on) return;
    this.#pressed = true;
    this.#events.openMicrophone();
  }

  decide(how: "toggle" | "hold"): void {
    if (!this.#pressed) {
      this.end();
      return;
    }
    this.#pressed = false;
    this.how = how;
    this.#events.talk({ on: true, how });
    this.#drain();
  }

  /** Tells the kernel again that talking is on. */
  claim(): void {
    if (this.how) this.#events.talk({ on: true, how: this.how });
  }

  release(): void {
    if (this.how === "hold") this.end();
  }

  /** Sends what is left and closes the microphone. */
  end(): void {
    const { how } = this;
    if (!this.on) return;
    this.#pressed = false;
    this.how = null;
    if (how) {
      this.#drain(true);
      this.#events.talk({ on: false, how });
    } else {
      this.uplink.discard();
    }
    this.#events.closeMicrophone();
  }

  frame(frame: Frame): void {
    this.uplink.push(frame);
    if (this.how) this.#drain();
  }

  ack(n: number): void {
    this.uplink.ack(n);
    if (this.how) this.#drain();
  }

  #drain(rest = false): void {
    for (let batch = this.uplink.take(rest); batch; batch = this.uplink.take(rest)) {
      const { n, frames } = batch;
      const pcm = encodePcm(frames.map((frame) => frame.pcm));
      this.#events.mic({ n, frames: frames.length, pcm, rms: frames.map(({ rms }) => Math.round(rms)) });
    }
  }
}
