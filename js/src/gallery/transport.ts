import { h, icon, setAttribute } from "../ui/dom.ts";
import type { Labels } from "../ui/labels.ts";

const PLAY = "M5 3.5v9l7-4.5z";
const PAUSE = "M5.5 3.5v9M10.5 3.5v9";

export interface Track {
  key: string;
  turn: number;
  label: string;
}

interface TransportEvents {
  /** Sound is wanted: `load` it when it is there. */
  want(track: Track): void;
  /** What plays has changed; null: nothing. */
  playing(track: Track | null): void;
}

/**
 * The one player of the gallery. Another cell goes on where the last one was, so that the same words are compared;
 * a track from its beginning is one press of its own play button away.
 */
export class Transport {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #events: TransportEvents;
  readonly #audio = new Audio();
  readonly #button: HTMLButtonElement;
  readonly #seek: HTMLInputElement;
  readonly #time = h("span", { class: "sn-num" });
  readonly #name = h("span", { class: "sn-now" });
  #track: Track | null = null;
  #url = "";
  /** Where the next sound begins, s. */
  #from = 0;

  constructor(labels: Labels, events: TransportEvents, signal: AbortSignal) {
    this.#labels = labels;
    this.#events = events;
    this.#button = h("button", { type: "button", class: "sn-ghost" }, icon(PLAY));
    this.#seek = h("input", { type: "range", min: "0", max: "1", step: "0.01", value: "0" });
    this.#seek.setAttribute("aria-label", labels.gallery.position);
    this.#seek.title = labels.gallery.position;
    this.element = h("div", { class: "sn-transport" }, this.#button, this.#seek, this.#time, this.#name);
    this.#button.addEventListener("click", () => this.toggle());
    this.#seek.addEventListener("input", () => {
      this.#audio.currentTime = Number(this.#seek.value);
    });
    for (const event of ["play", "pause", "ended", "timeupdate", "loadedmetadata"]) {
      this.#audio.addEventListener(event, () => this.#changed(), { signal });
    }
    signal.addEventListener("abort", () => this.#unload());
    this.#update();
  }

  /** Plays a track; `on`: from where the last one is, else from its beginning. */
  play(track: Track, on: boolean): void {
    if (this.#track?.key === track.key && this.#track.turn === track.turn) {
      this.toggle();
      return;
    }
    this.#from = on && !this.#audio.ended ? this.#audio.currentTime : 0;
    this.#unload();
    this.#track = track;
    this.#events.want(track);
    this.#changed();
  }

  toggle(): void {
    if (!this.#url) return;
    if (this.#audio.paused) this.#audio.play().catch(() => this.#changed());
    else this.#audio.pause();
  }

  /** The sound of a track came. */
  load(key: string, turn: number, sound: Blob): void {
    if (this.#track?.key !== key || this.#track.turn !== turn) return;
    this.#url = URL.createObjectURL(sound);
    this.#audio.src = this.#url;
    this.#audio.addEventListener(
      "loadedmetadata",
      () => {
        if (this.#from < this.#audio.duration) this.#audio.currentTime = this.#from;
      },
      { once: true },
    );
    this.#audio.play().catch(() => this.#changed());
  }

  #unload(): void {
    this.#audio.pause();
    if (!this.#url) return;
    this.#audio.removeAttribute("src");
    URL.revokeObjectURL(this.#url);
    this.#url = "";
  }

  #changed(): void {
    this.#update();
    this.#events.playing(this.#url && !this.#audio.paused ? this.#track : null);
  }

  #update(): void {
    const { play, pause } = this.#labels.gallery;
    const { paused, currentTime, duration } = this.#audio;
    const playing = this.#url !== "" && !paused;
    this.#button.disabled = !this.#url;
    this.#button.replaceChildren(icon(playing ? PAUSE : PLAY));
    setAttribute(this.#button, "aria-label", playing ? pause : play);
    this.#button.title = playing ? pause : play;
    const length = Number.isFinite(duration) ? duration : 0;
    this.#seek.disabled = !length;
    this.#seek.max = String(length || 1);
    this.#seek.value = String(currentTime);
    this.#time.textContent = length ? `${currentTime.toFixed(1)} / ${length.toFixed(1)} s` : "";
    this.#name.textContent = this.#track?.label ?? this.#labels.gallery.hint;
  }
}
