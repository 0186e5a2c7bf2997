import { Framer } from "./framer.ts";

/** A block, as the audio graph renders them. */
const SILENCE = new Float32Array(128);

/** Posts each 20 ms `Frame` of the microphone, until it gets a message. */
class Capture extends AudioWorkletProcessor {
  readonly #framer = new Framer(sampleRate);
  #on = true;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#on = false;
    };
  }

  process([input]: Float32Array[][]): boolean {
    // Of a muted microphone Firefox brings no silence, but no channel.
    for (const frame of this.#framer.push(input?.[0] ?? SILENCE)) {
      this.port.postMessage(frame, [frame.pcm.buffer]);
    }
    return this.#on;
  }
}

registerProcessor("stepnb-capture", Capture);
