import { FRAME_SAMPLES, WIRE_RATE } from "./format.ts";
import { Player, type PlayerEvent } from "./player.ts";
import { Resampler } from "./resampler.ts";

/** To the worklet. */
export type PlayerCommand =
  | { k: "push"; item: string; pcm: Int16Array }
  | { k: "end"; item: string }
  | { k: "hold"; on: boolean }
  | { k: "flush"; id: number; fadeMs: number };

/** From the worklet: after each command, each event and each 20 ms of sound. `time` is the context's, s, at the block's end. */
export interface PlayerReport {
  time: number;
  events: PlayerEvent[];
  position: { item: string; samples: number } | null;
  /** RMS of the last 20 ms rendered, int16 units; null between frames. */
  rms: number | null;
  /** Samples waiting. */
  buffered: number;
  underruns: number;
  playing: boolean;
  /** Commands taken in so far. */
  commands: number;
}

/** Renders a `Player` at the device's rate. */
class Playback extends AudioWorkletProcessor {
  readonly #player = new Player();
  readonly #resampler = new Resampler(WIRE_RATE, sampleRate);
  #block = new Float32Array(0);
  #sum = 0;
  #count = 0;
  #commands = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<PlayerCommand>) => {
      if (data.k === "push")
        this.#player.push(
          data.item,
          Float32Array.from(data.pcm, (s) => s / 32768),
        );
      else if (data.k === "end") this.#player.end(data.item);
      else if (data.k === "hold") this.#player.held = data.on;
      else this.#player.flush(data.id, data.fadeMs);
      this.#commands += 1;
      this.#report(0, true);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [output, ...others] = outputs[0] ?? [];
    if (!output) return true;
    const before = this.#player.playing;
    const count = this.#resampler.inputsFor(output.length);
    if (this.#block.length < count) this.#block = new Float32Array(count);
    const block = this.#block.subarray(0, count);
    this.#player.render(block);
    this.#resampler.process(block, output);
    for (const other of others) other.set(output);
    if (before || this.#player.playing) {
      for (const sample of block) this.#sum += sample * sample;
      this.#count += count;
    }
    this.#report(output.length / sampleRate, before !== this.#player.playing);
    return true;
  }

  #report(elapsed: number, changed: boolean): void {
    const events = this.#player.takeEvents();
    const full = this.#count >= FRAME_SAMPLES;
    if (!full && !changed && events.length === 0) return;
    const report: PlayerReport = {
      time: currentTime + elapsed,
      events,
      position: this.#player.position,
      rms: full ? 32768 * Math.sqrt(this.#sum / this.#count) : null,
      buffered: this.#player.buffered,
      underruns: this.#player.underruns,
      playing: this.#player.playing,
      commands: this.#commands,
    };
    if (full) this.#sum = this.#count = 0;
    this.port.postMessage(report);
  }
}

registerProcessor("stepnb-playback", Playback);
