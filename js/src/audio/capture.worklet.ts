import { Framer } from "./framer.ts";

/** Posts each 20 ms `Frame` of the microphone. */
class Capture extends AudioWorkletProcessor {
  readonly #framer = new Framer(sampleRate);

  process([input]: Float32Array[][]): boolean {
    const channel = input?.[0];
    // Without a channel the source is disconnected, which is for good.
    if (!channel) return true;
    for (const frame of this.#framer.push(channel)) this.port.postMessage(frame, [frame.pcm.buffer]);
    return true;
  }
}

registerProcessor("stepnb-capture", Capture);
