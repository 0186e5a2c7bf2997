import { decodePcm } from "./audio/base64.ts";
import { type DeviceSettings, loadDevices, PROCESSING, saveDevices } from "./audio/devices.ts";
import { EchoDetector } from "./audio/echo.ts";
import { FRAME_MS } from "./audio/format.ts";
import { Gate } from "./audio/gate.ts";
import { AudioHost } from "./audio/host.ts";
import { Microphone, type MicState } from "./audio/microphone.ts";
import { type Flushed, Speaker } from "./audio/speaker.ts";
import type { Channel } from "./channel.ts";
import type { Down } from "./envelope.ts";
import type { Faults } from "./faults.ts";
import { type MicrophoneOwner, releaseMicrophone, takeMicrophone, tellLevel } from "./page.ts";
import { Talk } from "./talk.ts";
import type { Labels } from "./ui/labels.ts";
import type { Screen, ScreenState } from "./ui/screen.ts";
import { SoundNotes } from "./ui/soundnotes.ts";

/** What the screen shows of the sound. */
export type SoundState = Pick<
  ScreenState,
  "mic" | "talking" | "pressed" | "playing" | "busy" | "underruns" | "droppedMs"
>;

/** Where no threshold is known, what is quieter than this is not taken for speech, RMS. */
const QUIET = 500;

/** A view's microphone and loudspeaker, and what goes between them and the kernel. */
export class Sound implements MicrophoneOwner {
  readonly talk: Talk;
  readonly #settings = loadDevices();
  readonly #gate = new Gate();
  readonly #echo = new EchoDetector();
  readonly #host: AudioHost;
  readonly #microphone: Microphone;
  readonly #speaker: Speaker;
  readonly #channel: Channel;
  readonly #screen: Screen;
  readonly #notes: SoundNotes;
  readonly #report: (error: unknown) => void;
  readonly #changed: () => void;
  /** The report of a flush done here on Stop, for the kernel's flush that follows. */
  #stopped: Promise<Flushed> | null = null;

  constructor(
    channel: Channel,
    screen: Screen,
    labels: Labels,
    { report }: Faults,
    changed: () => void,
    signal: AbortSignal,
  ) {
    this.#channel = channel;
    this.#screen = screen;
    this.#notes = new SoundNotes(screen.notes, labels);
    this.#report = report;
    this.#changed = changed;
    const { timeline, ribbon } = screen;
    this.#host = new AudioHost(this.#settings, (state) => this.#hostState(state));
    this.#microphone = new Microphone(this.#host, this.#settings, {
      frame: (brought) => {
        const now = performance.now();
        const frame = this.#gate.pass(brought, now);
        timeline.heardYou(frame.rms, now);
        tellLevel(screen.session, frame.rms);
        this.talk.frame(frame);
        ribbon.wake();
        if (this.#echo.heard(frame.rms, now, screen.ribbon.level ?? QUIET)) this.#hearsItself();
      },
      state: (state, detail, rate) => this.#micState(state, detail, rate),
    });
    this.#speaker = new Speaker(this.#host, {
      first: (item, at) => channel.send("first", { item, at }),
      played: (report) => channel.send("played", report),
      level: (rms, at) => {
        timeline.heardStep(rms, at, performance.now());
        this.#gate.sounded(at);
        this.#echo.played(rms, at);
      },
      progress: (item, samples, over) => timeline.progress(item, samples, over),
      heard: (item, ms) => screen.transcript.played(item, ms),
      changed,
      error: report,
    });
    this.talk = new Talk({
      openMicrophone: () => {
        takeMicrophone(this);
        this.#microphone.start().catch(report);
      },
      closeMicrophone: () => this.#microphone.stop(),
      talk: (fields) => channel.send("talk", fields),
      mic: (fields) => channel.send("mic", fields),
    });
    this.#gate.on = this.#settings.halfDuplex;
    screen.player.set(this.#settings.output, this.#settings.volume);
    screen.devices.show(this.#settings, null);
    screen.devices.list([], this.#settings);
    navigator.mediaDevices?.addEventListener("devicechange", () => this.listDevices(), { signal });
  }

  /** Takes in what the person chose, at once and for the next time. */
  async set(settings: DeviceSettings): Promise<void> {
    const before = { ...this.#settings };
    Object.assign(this.#settings, settings);
    saveDevices(this.#settings);
    this.#gate.on = settings.halfDuplex;
    this.#screen.player.set(settings.output, settings.volume);
    if (settings.halfDuplex) this.#notes.gated();
    await this.#host.apply().then(
      () => this.#notes.output(true),
      () => this.#notes.output(false),
    );
    const anew =
      before.input !== settings.input || PROCESSING.some((name) => before[name] !== settings[name]);
    if (anew) await this.#microphone.restart();
    this.#showDevices();
  }

  /** Looks up the devices; their names are known once a microphone was allowed. */
  listDevices(): void {
    const list = async () => {
      this.#screen.devices.list((await navigator.mediaDevices?.enumerateDevices()) ?? [], this.#settings);
      this.#showDevices();
    };
    list().catch(this.#report);
  }

  /** Whether audio is waiting or playing, or a flush is still to be answered. */
  get busy(): boolean {
    return this.#speaker.busy || this.#stopped !== null;
  }

  /** Microphone audio on its way to the kernel, ms. */
  get unackedMs(): number {
    return this.talk.uplink.unacked * FRAME_MS;
  }

  get state(): SoundState {
    return {
      mic: this.#microphone.state,
      talking: this.talk.on ? this.talk.how : null,
      pressed: this.talk.on,
      playing: this.#speaker.playing,
      busy: this.#speaker.busy,
      underruns: this.#speaker.underruns,
      droppedMs: this.talk.uplink.dropped * FRAME_MS,
    };
  }

  mute(on: boolean): void {
    this.#microphone.mute(on);
  }

  yieldMicrophone(): void {
    if (!this.talk.on) return;
    this.talk.end();
    this.#notes.closed("otherView");
  }

  play({ item, pcm }: Down["audio"]): void {
    const samples = decodePcm(pcm);
    if (!this.#speaker.push(item, samples)) return;
    this.#screen.timeline.queue(item, samples);
    this.#stopped = null;
  }

  end(item: string): void {
    this.#speaker.end(item);
  }

  /** The kernel wants silence, and to know how much was heard. */
  async flush({ id, fade_ms }: Down["flush"]): Promise<void> {
    const done = this.#stopped ?? this.#silence(fade_ms);
    this.#stopped = null;
    this.#channel.send("flushed", { id, ...(await done) });
  }

  /** Stop is heard at once, also when the kernel is busy; its own flush is answered with what was found here. */
  stop(): void {
    if (this.#speaker.busy) {
      this.#stopped = this.#silence();
      this.#stopped.catch(this.#report);
    }
    this.#channel.send("stop", {});
  }

  /** The computer has slept: the microphone is closed. */
  wake(): void {
    if (!this.talk.on) return;
    this.talk.end();
    this.#notes.closed("slept");
  }

  /** Nobody can be talked to any more. */
  lose(): void {
    this.talk.end();
    this.#speaker.flush().catch(() => {});
  }

  close(): void {
    releaseMicrophone(this);
    this.#speaker.close();
    this.#host.close();
  }

  async #silence(fadeMs?: number): Promise<Flushed> {
    const { timeline, ribbon } = this.#screen;
    const dropped = timeline.drop(performance.now());
    const flushed = await this.#speaker.flush(fadeMs);
    if (flushed.item !== null) timeline.cut(flushed.at, dropped, performance.now());
    ribbon.wake();
    return flushed;
  }

  #showDevices(): void {
    this.#screen.devices.show(this.#settings, this.#microphone.granted);
  }

  #hearsItself(): void {
    this.#notes.echo(() => {
      this.set({ ...this.#settings, halfDuplex: true }).catch(this.#report);
    });
  }

  #micState(state: MicState, detail: string, rate: number | null): void {
    if (!this.#microphone.on) {
      releaseMicrophone(this);
      // First: its last frames would tell the kernel that somebody still talks.
      this.talk.end();
    }
    this.#channel.send("mic_state", { state, detail, rate });
    if (state === "asking") this.#notes.opening();
    if (state === "live") this.listDevices();
    else this.#showDevices();
    this.#changed();
  }

  #hostState(state: AudioContextState): void {
    this.#notes.blocked(state === "suspended" && this.#speaker.busy ? () => this.#host.unlock() : null);
  }
}
