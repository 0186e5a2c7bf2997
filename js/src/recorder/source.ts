import { loadDevices } from "../audio/devices.ts";
import { FRAME_SAMPLES, rms } from "../audio/format.ts";
import type { Frame } from "../audio/framer.ts";
import { AudioHost } from "../audio/host.ts";
import { Microphone, type MicState } from "../audio/microphone.ts";

export interface SourceEvents {
  frame(frame: Frame): void;
  state(state: MicState): void;
  /** The kernel is to listen, or not any more. */
  elsewhere(on: boolean): void;
}

/** What a browser does to speech for calls is what a clone would learn. */
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** Where the sound of a recording comes from: the browser's microphone, or that of the kernel's machine. */
export class Source {
  readonly #events: SourceEvents;
  readonly #host: AudioHost;
  readonly #microphone: Microphone;
  #elsewhere = false;

  constructor(events: SourceEvents) {
    this.#events = events;
    const devices = { ...loadDevices(), ...PLAIN };
    this.#host = new AudioHost(devices, () => {});
    this.#microphone = new Microphone(this.#host, devices, events);
  }

  get on(): boolean {
    return this.#elsewhere || this.#microphone.on;
  }

  get elsewhere(): boolean {
    return this.#elsewhere;
  }

  start(): Promise<void> {
    return this.#microphone.start();
  }

  startElsewhere(): void {
    this.#elsewhere = true;
    this.#events.elsewhere(true);
    this.#events.state("live");
  }

  /** Sound from elsewhere, in whole frames. */
  heard(pcm: Int16Array<ArrayBuffer>): void {
    for (let at = 0; this.#elsewhere && at < pcm.length; at += FRAME_SAMPLES) {
      const frame = pcm.slice(at, at + FRAME_SAMPLES);
      this.#events.frame({ pcm: frame, rms: rms(frame) });
    }
  }

  stop(): void {
    if (this.#elsewhere) this.#events.elsewhere(false);
    this.#elsewhere = false;
    this.#microphone.stop();
  }

  close(): void {
    this.stop();
    this.#host.close();
  }
}
