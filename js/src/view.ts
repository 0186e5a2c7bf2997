import type { AnyModel } from "@anywidget/types";
import { decodePcm } from "./audio/base64.ts";
import { FRAME_MS } from "./audio/format.ts";
import { AudioHost } from "./audio/host.ts";
import { Microphone, type MicState } from "./audio/microphone.ts";
import { type Flushed, Speaker } from "./audio/speaker.ts";
import { Channel } from "./channel.ts";
import type { Down, Handlers, Traits } from "./envelope.ts";
import { Faults } from "./faults.ts";
import type { Member, ViewGroup } from "./group.ts";
import { Link } from "./link.ts";
import { type MicrophoneOwner, randomId, releaseMicrophone, takeMicrophone } from "./page.ts";
import { Talk } from "./talk.ts";
import { type Labels, labelsOf } from "./ui/labels.ts";
import { Screen } from "./ui/screen.ts";

const PING_MS = 1000;

/** One rendered view: binds the kernel's messages, the microphone, the loudspeaker and the screen to each other. */
export class View implements Member, MicrophoneOwner {
  readonly id = randomId();
  readonly #controller = new AbortController();
  readonly #model: AnyModel<Traits>;
  readonly #group: ViewGroup;
  readonly #channel: Channel;
  readonly #link = new Link();
  readonly #host: AudioHost;
  readonly #microphone: Microphone;
  readonly #speaker: Speaker;
  readonly #talk: Talk;
  readonly #screen: Screen;
  readonly #labels: Labels;
  readonly #faults: Faults;
  /** The report of a flush done here on Stop, for the kernel's flush that follows. */
  #stopped: Promise<Flushed> | null = null;

  constructor(model: AnyModel<Traits>, el: HTMLElement, group: ViewGroup) {
    const { signal } = this.#controller;
    const { lang, labels } = labelsOf([document.documentElement.lang, ...navigator.languages]);
    this.#labels = labels;
    this.#model = model;
    this.#group = group;
    this.#faults = new Faults((message, stack) => {
      this.#screen.notes.set("error", { level: "error", text: labels.error, fix: message });
      this.#channel.send("error", { message, stack });
    });
    const { report, guard } = this.#faults;
    this.#channel = new Channel(model, this.id, { failed: report, lost: guard(() => this.#lose()) });
    this.#host = new AudioHost((state) => this.#hostState(state));
    this.#microphone = new Microphone(this.#host, {
      frame: (frame) => {
        this.#screen.timeline.heardYou(frame.rms, performance.now());
        this.#talk.frame(frame);
        this.#screen.ribbon.wake();
      },
      state: (state, detail, rate) => this.#micState(state, detail, rate),
    });
    this.#speaker = new Speaker(this.#host, {
      first: (item, at) => this.#channel.send("first", { item, at }),
      played: (report) => this.#channel.send("played", report),
      level: (rms, at) => this.#screen.timeline.heardStep(rms, at, performance.now()),
      progress: (item, samples, over) => this.#screen.timeline.progress(item, samples, over),
      changed: () => this.#update(),
      error: report,
    });
    this.#talk = new Talk({
      openMicrophone: () => {
        takeMicrophone(this);
        this.#microphone.start().catch(report);
      },
      closeMicrophone: () => this.#microphone.stop(),
      talk: (fields) => this.#channel.send("talk", fields),
      mic: (fields) => this.#channel.send("mic", fields),
    });
    this.#screen = new Screen(el, this.id, lang, labels, signal, {
      down: guard(() => this.#talk.down()),
      decide: guard((how) => {
        this.#talk.decide(how);
        this.#update();
      }),
      release: guard(() => this.#talk.release()),
      mute: guard((on) => this.#microphone.mute(on)),
      stop: guard(() => this.#stop()),
      say: guard((text) => this.#channel.send("say", { text })),
      connect: guard(() => this.#channel.send("connect", {})),
    });

    group.add(this);
    this.#channel.listen(this.#handlers(), signal);
    this.#onModel("change:status", () => this.#update());
    this.#onModel("change:info", () => this.#screen.info(model.get("info")));
    window.addEventListener("pagehide", (event) => event.persisted || this.close(), { signal });
    const timer = setInterval(
      guard(() => this.#ping()),
      PING_MS,
    );
    signal.addEventListener("abort", () => clearInterval(timer));

    this.#screen.info(model.get("info"));
    this.#update();
    this.#channel.send("hello", { visible: !document.hidden, lang });
    this.#ping();
  }

  get busy(): boolean {
    return this.#speaker.busy || this.#stopped !== null;
  }

  yieldMicrophone(): void {
    if (!this.#talk.on) return;
    this.#talk.end();
    this.#screen.notes.set("owner", { level: "info", text: this.#labels.otherView });
  }

  /** The view is going: everything it opened is closed. */
  close(): void {
    if (this.#controller.signal.aborted) return;
    this.#faults.guard(() => this.#talk.end())();
    this.#faults.guard(() => this.#channel.send("bye", {}))();
    this.#controller.abort();
    releaseMicrophone(this);
    this.#group.remove(this);
    this.#speaker.close();
    this.#host.close();
  }

  #handlers(): Handlers {
    const { transcript, notes } = this.#screen;
    return {
      welcome: ({ rows, owner }) => {
        transcript.reset(rows);
        this.#screen.owner(owner);
        this.#screen.ready();
      },
      row: ({ row }) => transcript.upsert(row),
      audio: (message) => this.#play(message),
      audio_end: ({ item }) => this.#speaker.end(item),
      flush: (message) => void this.#flush(message).catch(this.#faults.report),
      pong: ({ echo, kernel }) => {
        this.#link.pong(echo, kernel, performance.now());
        this.#update();
      },
      ack: ({ n }) => {
        this.#link.alive(performance.now());
        this.#talk.ack(n);
      },
      speech: ({ on }) => this.#screen.speech(on),
      owner: ({ view }) => {
        this.#group.own(view);
        this.#screen.owner(view);
        // The kernel gives up an owner that was silent for long, as when it was itself busy: claim it again.
        if (view === null) this.#talk.claim();
        else if (view !== this.id) this.yieldMicrophone();
      },
      notice: ({ level, text, fix }) => notes.set(`notice ${text}`, { level, text, fix }),
    };
  }

  #play({ item, pcm }: Down["audio"]): void {
    if (!this.#group.plays(this, item)) return;
    const samples = decodePcm(pcm);
    if (!this.#speaker.push(item, samples)) return;
    this.#screen.timeline.queue(item, samples);
    this.#stopped = null;
  }

  async #flush({ id, fade_ms }: Down["flush"]): Promise<void> {
    if (!this.#group.answersFlush(this)) return;
    const done = this.#stopped ?? this.#silence(fade_ms);
    this.#stopped = null;
    this.#channel.send("flushed", { id, ...(await done) });
  }

  async #silence(fadeMs?: number): Promise<Flushed> {
    const { timeline } = this.#screen;
    const dropped = timeline.drop(performance.now());
    const flushed = await this.#speaker.flush(fadeMs);
    if (flushed.item !== null) timeline.cut(flushed.at, dropped, performance.now());
    this.#screen.ribbon.wake();
    return flushed;
  }

  /** Stop is heard at once, also when the kernel is busy; its own flush is answered with what was found here. */
  #stop(): void {
    if (this.#speaker.busy) {
      this.#stopped = this.#silence();
      this.#stopped.catch(this.#faults.report);
    }
    this.#channel.send("stop", {});
  }

  #micState(state: MicState, detail: string, rate: number | null): void {
    this.#channel.send("mic_state", { state, detail, rate });
    if (state === "asking") this.#screen.notes.clear("owner");
    if (!this.#microphone.on) {
      releaseMicrophone(this);
      this.#talk.end();
    }
    this.#update();
  }

  #hostState(state: AudioContextState): void {
    const { soundBlocked, playSound } = this.#labels;
    if (state === "suspended" && this.#speaker.busy) {
      const action = { label: playSound, run: () => this.#host.unlock() };
      this.#screen.notes.set("sound", { level: "warning", text: soundBlocked, action });
    } else {
      this.#screen.notes.clear("sound");
    }
  }

  #ping(): void {
    const ping = document.hidden ? null : this.#link.ping(performance.now());
    if (ping) this.#channel.send("ping", ping);
    this.#update();
  }

  #lose(): void {
    this.#talk.end();
    this.#speaker.flush().catch(() => {});
    const { goneText, goneFix } = this.#labels;
    this.#screen.notes.set("kernel", { level: "error", text: goneText, fix: goneFix });
    this.#update();
  }

  #update(): void {
    this.#screen.update({
      status: this.#model.get("status"),
      mic: this.#microphone.state,
      talking: this.#talk.on ? this.#talk.how : null,
      pressed: this.#talk.on,
      playing: this.#speaker.playing,
      busy: this.#speaker.busy,
      underruns: this.#speaker.underruns,
      droppedMs: this.#talk.uplink.dropped * FRAME_MS,
      rtt: this.#channel.open ? this.#link.rtt : null,
      lagging: this.#channel.open && this.#link.lagging(performance.now()),
      gone: !this.#channel.open,
      gaps: this.#channel.gaps,
      unknown: this.#channel.unknown,
    });
  }

  #onModel(event: string, handler: () => void): void {
    const guarded = this.#faults.guard(handler);
    this.#model.on(event, guarded);
    this.#controller.signal.addEventListener("abort", () => this.#model.off(event as "msg:custom", guarded));
  }
}
