import { type DeviceSettings, type Granted, PROCESSING } from "./devices.ts";
import type { Frame } from "./framer.ts";
import type { AudioHost } from "./host.ts";
import { type Obstacle, obstacle } from "./obstacle.ts";

/** A state of the microphone, as the envelope names it. */
export type MicState =
  | "off"
  | "asking"
  | "live"
  | "muted"
  | "denied"
  | Obstacle
  | "no_device"
  | "busy"
  | "ended";

export interface MicrophoneEvents {
  frame(frame: Frame): void;
  state(state: MicState, detail: string, rate: number | null): void;
}

/** The browser's microphone as 20 ms frames. Nothing is asked for before `start`, and nothing is left after `stop`. */
export class Microphone {
  /** Where there can be none, this is known before anybody asks for it. */
  state: MicState = obstacle() ?? "off";
  readonly #host: AudioHost;
  readonly #settings: Readonly<DeviceSettings>;
  readonly #events: MicrophoneEvents;
  #session: AbortController | null = null;
  #track: MediaStreamTrack | null = null;
  #rate: number | null = null;

  constructor(host: AudioHost, settings: Readonly<DeviceSettings>, events: MicrophoneEvents) {
    this.#host = host;
    this.#settings = settings;
    this.#events = events;
  }

  /** Whether the microphone is open or about to be. */
  get on(): boolean {
    return this.#session !== null;
  }

  /** What the browser really granted, which may be less than what was asked for; null while none is open. */
  get granted(): Granted | null {
    return this.#track && grantedOf(this.#track);
  }

  /** What the browser calls it; "" while none is open. */
  get label(): string {
    return this.#track?.label ?? "";
  }

  /** Asks for the microphone and lets frames flow; ends when the answer is known. Errors become states. */
  async start(): Promise<void> {
    if (this.on) return;
    const hindered = obstacle();
    if (hindered) {
      this.#set(hindered);
      return;
    }
    const session = new AbortController();
    this.#session = session;
    this.#set("asking");
    try {
      const opened = this.#host.open();
      // Awaited below; until then its failure is not an unhandled one.
      opened.catch(() => {});
      const { input, echoCancellation, noiseSuppression, autoGainControl } = this.#settings;
      const wanted: MediaTrackConstraints = {
        echoCancellation,
        noiseSuppression,
        autoGainControl,
        channelCount: 1,
      };
      // Not exact: a remembered microphone may be unplugged, and another one is better than none.
      if (input) wanted.deviceId = { ideal: input };
      const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
      // At once, so that a stop while the browser was asking leaves nothing open.
      if (session.signal.aborted) stopTracks(stream);
      else session.signal.addEventListener("abort", () => stopTracks(stream));
      this.#connect(await opened, stream, session);
    } catch (error) {
      if (session.signal.aborted) return;
      this.#end(stateOf(error), error instanceof Error ? error.message : String(error));
      if (!(error instanceof DOMException)) throw error;
    }
  }

  /** Closes the microphone; the browser's sign of it goes out. */
  stop(): void {
    if (this.on) this.#end("off");
  }

  /** Opens it anew with what the settings are now; muted stays muted. */
  async restart(): Promise<void> {
    if (!this.#track) return;
    const muted = !this.#track.enabled;
    this.#session?.abort();
    this.#session = null;
    this.#track = null;
    await this.start();
    if (muted) this.mute(true);
  }

  /** Muted, the browser delivers silence: frames keep flowing, so that the service can hear the end of a turn. */
  mute(on: boolean): void {
    if (!this.#track) return;
    this.#track.enabled = !on;
    this.#set(on ? "muted" : "live", said(this.#track));
  }

  #connect(context: AudioContext, stream: MediaStream, session: AbortController): void {
    const { signal } = session;
    const [track] = stream.getAudioTracks();
    if (signal.aborted || !track) return;
    const source = context.createMediaStreamSource(stream);
    const node = new AudioWorkletNode(context, "stepnb-capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    node.port.onmessage = ({ data }: MessageEvent<Frame>) => {
      if (!signal.aborted) this.#events.frame(data);
    };
    source.connect(node);
    track.addEventListener("ended", () => this.#end("ended"), { signal });
    signal.addEventListener("abort", () => {
      source.disconnect();
      node.port.postMessage("end");
    });
    this.#host.unlock();
    this.#track = track;
    this.#rate = context.sampleRate;
    this.#set("live", said(track));
  }

  #end(state: MicState, detail = ""): void {
    this.#session?.abort();
    this.#session = null;
    this.#track = null;
    this.#rate = null;
    this.#set(state, detail);
  }

  #set(state: MicState, detail = ""): void {
    this.state = state;
    this.#events.state(state, detail, this.#rate);
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function grantedOf(track: MediaStreamTrack): Granted {
  const settings = track.getSettings();
  const granted: Granted = {};
  for (const name of PROCESSING) {
    // Chromium may name a kind of echo cancellation.
    if (settings[name] !== undefined) granted[name] = Boolean(settings[name]);
  }
  return granted;
}

/** What was granted, for the kernel's log. */
function said(track: MediaStreamTrack): string {
  const granted = grantedOf(track);
  return PROCESSING.map((name) => `${name}=${granted[name] ?? "unknown"}`).join(" ");
}

function stateOf(error: unknown): MicState {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "no_device";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  if (name === "SecurityError") return "insecure";
  return "ended";
}
