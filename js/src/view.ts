import type { AnyModel } from "@anywidget/types";
import { Channel } from "./channel.ts";
import type { Handlers, OwnerPlace, Traits } from "./envelope.ts";
import { Faults } from "./faults.ts";
import type { Member, ViewGroup } from "./group.ts";
import { Link } from "./link.ts";
import { randomId } from "./page.ts";
import { Sleep } from "./sleep.ts";
import { Sound } from "./sound.ts";
import { type Labels, pageLabels } from "./ui/labels.ts";
import { Screen } from "./ui/screen.ts";

const PING_MS = 1000;

/** One rendered view: binds the kernel's messages, the sound and the screen to each other. */
export class View implements Member {
  readonly id = randomId();
  readonly #controller = new AbortController();
  readonly #model: AnyModel<Traits>;
  readonly #group: ViewGroup;
  readonly #channel: Channel;
  readonly #link = new Link();
  readonly #sleep = new Sleep(Date.now());
  readonly #sound: Sound;
  readonly #screen: Screen;
  readonly #labels: Labels;
  readonly #faults: Faults;

  constructor(model: AnyModel<Traits>, el: HTMLElement, group: ViewGroup) {
    const { signal } = this.#controller;
    const { lang, labels } = pageLabels(model.get("lang"));
    this.#labels = labels;
    this.#model = model;
    this.#group = group;
    this.#faults = new Faults((message, stack) => {
      this.#screen.notes.set("error", { level: "error", text: labels.error, fix: message });
      this.#channel.send("error", { message, stack });
    });
    const { report, guard } = this.#faults;
    this.#channel = new Channel(model, this.id, { failed: report, lost: guard(() => this.#lose()) });
    this.#screen = new Screen(el, this.id, lang, labels, signal, {
      down: guard(() => this.#sound.talk.down()),
      decide: guard((how) => {
        this.#sound.talk.decide(how);
        this.#update();
      }),
      release: guard(() => this.#sound.talk.release()),
      mute: guard((on) => this.#sound.mute(on)),
      stop: guard(() => this.#sound.stop()),
      say: guard((text) => this.#channel.send("say", { text })),
      connect: guard(() => this.#channel.send("connect", {})),
      change: guard((settings) => void this.#sound.set(settings).catch(report)),
      open: guard(() => this.#sound.listDevices()),
      guard: guard((ms) => {
        model.set("min_speech_ms", ms);
        model.save_changes();
      }),
      approve: guard((call, allow) => this.#channel.send("approve", { call, allow })),
      hear: guard((row) => {
        this.#channel.send("hear", { row });
        // Nobody is there to answer.
        if (!this.#channel.open) this.#screen.player.stop();
      }),
      export: guard((format) => this.#channel.send("export", { format })),
      file: guard((name, data) => this.#channel.send("file", { name, data })),
      elsewhere: guard((place, on) => this.#channel.send(place, { on })),
      error: report,
    });
    this.#sound = new Sound(this.#channel, this.#screen, labels, this.#faults, () => this.#update(), signal);

    group.add(this);
    this.#channel.listen(this.#handlers(), signal);
    this.#onModel("change:status", () => {
      // Nobody listens to a session that is over, and a microphone that is open for nobody is one that was forgotten.
      if (["closed", "failed"].includes(model.get("status").state)) this.#sound.talk.end();
      this.#update();
    });
    this.#onModel("change:min_speech_ms", () => this.#screen.devices.guard(model.get("min_speech_ms")));
    this.#onModel("change:info", () => this.#screen.info(model.get("info")));
    window.addEventListener("pagehide", (event) => event.persisted || this.close(), { signal });
    const timer = setInterval(
      guard(() => this.#tick()),
      PING_MS,
    );
    signal.addEventListener("abort", () => clearInterval(timer));

    this.#screen.info(model.get("info"));
    this.#screen.devices.guard(model.get("min_speech_ms"));
    this.#update();
    this.#channel.send("hello", { visible: !document.hidden, lang });
    this.#ping();
  }

  get busy(): boolean {
    return this.#sound.busy;
  }

  /** The view is going: everything it opened is closed. */
  close(): void {
    if (this.#controller.signal.aborted) return;
    this.#faults.guard(() => this.#sound.talk.end())();
    this.#faults.guard(() => this.#channel.send("bye", {}))();
    this.#controller.abort();
    this.#group.remove(this);
    this.#sound.close();
  }

  #handlers(): Handlers {
    const { notes, player } = this.#screen;
    return {
      welcome: ({ rows, owner, place }) => {
        this.#screen.rows(rows);
        this.#own(owner, place);
        this.#screen.ready();
      },
      row: ({ row }) => this.#screen.row(row),
      audio: (message) => {
        if (this.#group.plays(this, message.item)) this.#sound.play(message);
      },
      audio_end: ({ item }) => this.#sound.end(item),
      flush: (message) => {
        if (this.#group.answersFlush(this)) this.#sound.flush(message).catch(this.#faults.report);
      },
      pong: ({ echo, kernel }) => {
        this.#link.pong(echo, kernel, performance.now());
        if (this.#link.learning) this.#ping();
        else this.#update();
      },
      ack: ({ n }) => {
        this.#link.alive(performance.now());
        this.#sound.talk.ack(n);
        this.#update();
      },
      speech: ({ on }) => this.#screen.speech(on),
      owner: ({ view, place }) => {
        this.#own(view, place);
        // The kernel gives up an owner that was silent for long, as when it was itself busy: claim it again.
        if (view === null) this.#sound.talk.claim();
        else if (view !== this.id) this.#sound.yieldMicrophone();
      },
      level: ({ rms }) => this.#screen.heard(rms),
      companion: ({ url }) => this.#screen.ladder.open(url),
      sound: ({ row, n, of, pcm }) => player.take(row, n, of, pcm),
      notice: ({ level, text, fix }) => notes.set(`notice ${text}`, { level, text, fix }),
    };
  }

  #own(view: string | null, place: OwnerPlace | null): void {
    this.#group.own(view);
    this.#screen.owner(view, view === this.id ? null : place);
    this.#update();
  }

  #tick(): void {
    // Nobody remembers a microphone that was open before the lid was closed.
    if (this.#sleep.woke(Date.now())) this.#sound.wake();
    this.#ping();
  }

  #ping(): void {
    const ping = document.hidden ? null : this.#link.ping(performance.now());
    if (ping) this.#channel.send("ping", ping);
    this.#update();
  }

  #lose(): void {
    this.#sound.lose();
    const { goneText, goneFix } = this.#labels;
    this.#screen.notes.set("kernel", { level: "error", text: goneText, fix: goneFix });
    this.#update();
  }

  #update(): void {
    const { open } = this.#channel;
    this.#screen.update({
      status: this.#model.get("status"),
      ...this.#sound.state,
      rtt: open ? this.#link.rtt : null,
      health: open ? this.#link.health(performance.now(), this.#sound.unackedMs) : null,
      gone: !open,
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
