import { FRAME_MS } from "../audio/format.ts";
import { AudioHost } from "../audio/host.ts";
import type { MicState } from "../audio/microphone.ts";
import { RowPlayer } from "../audio/rowplayer.ts";
import type { Info, OwnerPlace, Row, Status } from "../envelope.ts";
import type { Health } from "../link.ts";
import { tellLevel } from "../page.ts";
import { Actions, type Format } from "./actions.ts";
import type { CallEvents } from "./calls.ts";
import { Devices, type DevicesEvents } from "./devices.ts";
import { Dock, type DockEvents, type DockState } from "./dock.ts";
import { h } from "./dom.ts";
import { totals } from "./figures.ts";
import { Header } from "./header.ts";
import type { Labels, MicTrouble, PanelState } from "./labels.ts";
import { type Elsewhere, Ladder, type LadderEvents } from "./ladder.ts";
import { Notes } from "./notes.ts";
import { Ribbon } from "./ribbon.ts";
import { Settings } from "./settings.ts";
import { followTheme } from "./theme.ts";
import { Timeline } from "./timeline.ts";
import { Transcript } from "./transcript.ts";

export interface ScreenEvents extends DockEvents, DevicesEvents, CallEvents, LadderEvents {
  connect(): void;
  /** Asks for the sound of a row. */
  hear(row: string): void;
  export(format: Format): void;
}

/** Everything the screen depends on, but for the transcript and the sound itself. */
export interface ScreenState {
  status: Status;
  mic: MicState;
  /** The kind of talking, null while a press is not yet decided or nobody talks. */
  talking: "toggle" | "hold" | null;
  pressed: boolean;
  playing: boolean;
  /** Audio is waiting or playing. */
  busy: boolean;
  underruns: number;
  droppedMs: number;
  rtt: number | null;
  /** How the kernel takes what the page sends; null: there is none. */
  health: Health | null;
  gone: boolean;
  gaps: number;
  unknown: number;
}

/** The panel as one sees it. Its `data-` attributes say what its words say, for tests and styles. */
export class Screen {
  readonly timeline = new Timeline();
  readonly notes: Notes;
  readonly transcript: Transcript;
  readonly ribbon: Ribbon;
  readonly devices: Devices;
  readonly player: RowPlayer;
  /** By which the session's widgets find each other on the page. */
  session = "";
  readonly #root: HTMLElement;
  readonly #labels: Labels;
  readonly #header: Header;
  readonly #dock: Dock;
  readonly #settings: Settings;
  readonly ladder: Ladder;
  #elsewhere: Elsewhere | null = null;
  readonly #connect: () => void;

  constructor(
    el: HTMLElement,
    view: string,
    lang: string,
    labels: Labels,
    signal: AbortSignal,
    events: ScreenEvents,
  ) {
    this.#labels = labels;
    this.#connect = events.connect;
    const actions = new Actions(labels, `sn-actions-${view}`, {
      text: () => this.transcript.text,
      export: events.export,
      file: () => this.ladder.chooseFile(),
    });
    this.#header = new Header(labels, actions.button);
    this.notes = new Notes(labels);
    this.ladder = new Ladder(labels, this.notes, events);
    this.player = new RowPlayer(
      { ask: events.hear, changed: (row, playing, at) => this.transcript.playing(row, playing, at) },
      signal,
    );
    this.transcript = new Transcript(labels, {
      approve: events.approve,
      toggle: (row) => this.player.toggle(row),
      seek: (row, seconds) => this.player.seek(row, seconds),
      save: (row) => this.player.save(row),
    });
    this.ribbon = new Ribbon(this.timeline, labels, signal);
    this.#dock = new Dock(labels, events, signal);
    this.devices = new Devices(labels, AudioHost.choosesOutput, events);
    this.#settings = new Settings(labels, this.devices.element);
    const attributes = {
      class: "stepnb sn-root",
      role: "group",
      "aria-label": labels.panel,
      lang,
      tabindex: "0",
    };
    this.#root = h(
      "div",
      // JupyterLab's shortcuts (D D deletes a cell) must not hear keys pressed in here.
      { ...attributes, "data-view": view, "data-lm-suppress-shortcuts": "true" },
      this.#header.element,
      actions.element,
      this.notes.element,
      this.transcript.element,
      this.ribbon.element,
      this.#dock.element,
      this.#settings.element,
      this.ladder.element,
    );
    this.#dock.listen(this.#root);
    this.#root.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape" && this.#root.dataset.answering === "true") events.stop();
    });
    el.replaceChildren(this.#root);
    followTheme(this.#root, () => this.ribbon.redraw(), signal);
  }

  /** The kernel has answered: the transcript is there. */
  ready(): void {
    this.#root.dataset.welcome = "true";
  }

  /** The whole transcript, or one row of it, new or changed. */
  rows(rows: Row[]): void {
    this.transcript.reset(rows);
    this.#header.totals(totals(this.transcript.rows));
  }

  row(row: Row): void {
    this.transcript.upsert(row);
    this.#header.totals(totals(this.transcript.rows));
  }

  /** The view that owns the microphone, and where it is; null: in this view, or nowhere. */
  owner(view: string | null, place: OwnerPlace | null): void {
    this.#elsewhere = place === "page" ? null : place;
    Object.assign(this.#root.dataset, { owner: view ?? "", place: place ?? "" });
  }

  /** How loud the session's microphone is, which is not this page's: the RMS of its last frames. */
  heard(rms: number[]): void {
    const now = performance.now();
    for (const [i, level] of rms.entries()) {
      this.timeline.heardYou(level, now - (rms.length - 1 - i) * FRAME_MS);
      tellLevel(this.session, level);
    }
    this.ribbon.wake();
  }

  /** Whether the service hears speech. */
  speech(on: boolean): void {
    this.#root.dataset.speech = String(on);
  }

  info(info: Info): void {
    this.session = info.session;
    this.ladder.offered = info.rungs;
    this.#header.info(info);
    this.#settings.info(info);
    this.ribbon.threshold(info.vad?.energy_awakeness_threshold ?? null);
  }

  update(state: ScreenState): void {
    const word = panelState(this.#elsewhere ? { ...state, mic: "off" } : state);
    const answering = state.busy || state.status.state === "thinking" || state.status.state === "speaking";
    this.#header.state(word);
    this.#header.link(state.rtt, state.health);
    this.#header.dropped(state.droppedMs);
    this.#dock.update({
      talking: talking(state),
      muted: state.mic === "muted",
      live: state.mic === "live" || state.mic === "muted",
      answering,
      disabled: state.gone || state.status.state === "closed",
    });
    this.#explain(state);
    if (state.playing) {
      this.ribbon.wake();
      this.player.pause();
    }
    Object.assign(this.#root.dataset, {
      state: word,
      mic: state.mic,
      playing: String(state.playing),
      answering: String(answering),
      underruns: String(state.underruns),
      dropped: String(state.droppedMs),
      health: state.health ?? "gone",
      gaps: String(state.gaps),
      unknown: String(state.unknown),
    });
  }

  #explain({ status: { state, detail }, mic, health, gone }: ScreenState): void {
    const { failed, lost, tryAgain, blockedText, blockedFix } = this.#labels;
    if (health === "blocked" && mic === "live")
      this.notes.set("lag", { level: "warning", text: blockedText, fix: blockedFix });
    else this.notes.clear("lag");
    if (gone) {
      this.notes.clear("status");
    } else if (state === "failed") {
      const action = { label: tryAgain, run: this.#connect };
      this.notes.set("status", { level: "error", text: failed, fix: detail, actions: [action] });
    } else if (state === "reconnecting") {
      this.notes.set("status", { level: "warning", text: lost, fix: detail });
    } else {
      this.notes.clear("status");
    }
    this.ladder.show(isTrouble(mic) ? mic : null, this.#elsewhere);
  }
}

function isTrouble(mic: MicState): mic is MicTrouble {
  return !["off", "asking", "live", "muted"].includes(mic);
}

function talking({ mic, pressed, talking }: ScreenState): DockState["talking"] {
  if (!pressed) return "off";
  return mic === "asking" ? "asking" : (talking ?? "toggle");
}

/** The one word for it all. What one hears comes before what the kernel knows: it sends faster than real time. */
function panelState({ status, mic, playing, gone }: ScreenState): PanelState {
  if (gone) return "gone";
  const { state } = status;
  if (playing && (state === "ready" || state === "listening")) return "speaking";
  if (state !== "ready" && state !== "idle") return state;
  if (isTrouble(mic)) return "no_microphone";
  return mic === "live" && state === "ready" ? "listening" : state;
}
