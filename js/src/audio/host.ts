import capture from "worklet:./capture.worklet.ts";
import playback from "worklet:./playback.worklet.ts";
import { pageTime } from "./clock.ts";
import type { DeviceSettings } from "./devices.ts";

/** With these a browser lets sound start; a touch counts when it ends. */
const GESTURES = ["pointerdown", "pointerup", "keydown"] as const;

/**
 * One AudioContext for microphone and loudspeaker of a view, at the device's own rate.
 *
 * One, and not a second one at 24 kHz for playback: Firefox renders each rate in a graph of its own and gives its
 * echo canceller the graph of the microphone, and a hidden resampler would not be counted in the output latency. With
 * the buffers of the browser's choice: longer ones made every answer and every silence later and kept no gap away.
 */
export class AudioHost {
  #context: AudioContext | null = null;
  #volume: GainNode | null = null;
  readonly #settings: Readonly<DeviceSettings>;
  #ready: Promise<AudioContext> | null = null;
  readonly #onGesture = () => this.unlock();
  readonly #onState: (state: AudioContextState) => void;

  constructor(settings: Readonly<DeviceSettings>, onState: (state: AudioContextState) => void) {
    this.#settings = settings;
    this.#onState = onState;
  }

  /** Whether this browser lets a page choose the loudspeaker. */
  static get choosesOutput(): boolean {
    return "AudioContext" in globalThis && "setSinkId" in AudioContext.prototype;
  }

  /** Where what is to be heard goes. */
  get output(): AudioNode {
    if (!this.#volume) throw new Error("The audio context is not open.");
    return this.#volume;
  }

  /** Takes in changed settings. Throws when the loudspeaker cannot be had. */
  async apply(): Promise<void> {
    const { volume, output } = this.#settings;
    // Not at once: a step in loudness clicks.
    this.#volume?.gain.setTargetAtTime(volume, this.#context?.currentTime ?? 0, 0.02);
    const context = this.#context as
      | (AudioContext & { sinkId?: string; setSinkId?(id: string): Promise<void> })
      | null;
    if (context?.setSinkId && context.sinkId !== output) await context.setSinkId(output);
  }

  /** The context with both worklets; opened once. */
  open(): Promise<AudioContext> {
    this.#ready ??= this.#open();
    return this.#ready;
  }

  /** Starts sound that the browser held back; works in the handler of a click or key. */
  unlock(): void {
    if (this.#context?.state === "suspended") this.#context.resume().catch(() => {});
  }

  close(): void {
    const context = this.#context;
    this.#context = null;
    this.#volume = null;
    this.#ready = null;
    for (const gesture of GESTURES) document.removeEventListener(gesture, this.#onGesture, true);
    if (context && context.state !== "closed") context.close().catch(() => {});
  }

  /** When sound of a context time (s) reaches the ear, in page time (ms). */
  pageTime(time: number): number {
    return this.#context ? pageTime(this.#context, time) : performance.now();
  }

  async #open(): Promise<AudioContext> {
    const context = new AudioContext();
    this.#context = context;
    this.#volume = new GainNode(context, { gain: this.#settings.volume });
    this.#volume.connect(context.destination);
    for (const gesture of GESTURES) document.addEventListener(gesture, this.#onGesture, true);
    context.onstatechange = () => this.#onState(context.state);
    try {
      for (const source of [capture, playback]) {
        const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        await context.audioWorklet.addModule(url).finally(() => URL.revokeObjectURL(url));
      }
    } catch (cause) {
      this.close();
      throw new Error("The browser did not load the panel's audio code.", { cause });
    }
    // A remembered loudspeaker may be gone: the system's own plays then.
    await this.apply().catch(() => {});
    this.#onState(context.state);
    return context;
  }
}
