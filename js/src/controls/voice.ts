import { h, setAttribute, setText } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import { freshId, type Part, type Settings } from "./parts.ts";
import type { Sample } from "./sample.ts";
import type { VoiceEntry } from "./traits.ts";

export interface VoiceEvents {
  restart(voice: string): void;
  /** The section is opened: it may show more voices than the official ones. */
  opened(): void;
}

interface Row {
  element: HTMLElement;
  radio: HTMLInputElement;
  /** All that can be searched for. */
  words: string;
}

/** The voice: a list to search, and once the service has spoken the offer of a new session. */
export class VoicePart implements Part {
  readonly field = "voice";
  readonly element: HTMLElement;
  readonly #settings: Settings;
  readonly #labels: Labels;
  readonly #lang: "en" | "zh";
  readonly #events: VoiceEvents;
  readonly #sample: Sample;
  readonly #model = h("span");
  readonly #search: HTMLInputElement;
  readonly #list: HTMLElement;
  readonly #none = h("div", { class: "sn-hint", hidden: true });
  readonly #offer = h("div", { class: "sn-offer", role: "status", hidden: true });
  readonly #group = freshId();
  readonly #rows = new Map<string, Row>();
  /** Chosen although the voice is locked. */
  #wanted: string | null = null;

  constructor(settings: Settings, labels: Labels, lang: "en" | "zh", sample: Sample, events: VoiceEvents) {
    this.#settings = settings;
    this.#labels = labels;
    this.#lang = lang;
    this.#events = events;
    this.#sample = sample;
    this.#search = h("input", {
      type: "search",
      class: "sn-line",
      "aria-label": labels.findVoice,
      placeholder: labels.findVoiceHint,
      title: labels.findVoice,
      autocomplete: "off",
      spellcheck: "false",
    });
    this.#list = h("div", { class: "sn-voices", role: "radiogroup", "aria-label": labels.sections.voice });
    this.element = h(
      "div",
      {},
      h("div", { class: "sn-fact", title: labels.modelTitle }, h("span", {}, labels.model), this.#model),
      this.#offer,
      this.#search,
      this.#list,
      this.#none,
    );
    this.#search.addEventListener("input", () => this.#filter());
    this.#list.addEventListener("change", (event) => this.#choose((event.target as HTMLInputElement).value));
  }

  opened(): void {
    this.#events.opened();
    const chosen = this.#rows.get(this.#settings.get("voice"))?.element;
    if (chosen) this.#list.scrollTop = chosen.offsetTop - this.#list.clientHeight / 2;
  }

  value(): string {
    const voice = this.#settings.get("voice");
    return voice ? this.#nameOf(voice) : this.#labels.serviceVoice;
  }

  update(): void {
    const { model, closed, voice_locked: locked } = this.#settings.get("info");
    const voice = this.#settings.get("voice");
    setText(this.#model, model);
    const known = this.#settings.get("voices");
    const unknown = voice && !known.some(({ id }) => id === voice) ? [bare(voice)] : [];
    for (const entry of [...unknown, ...known]) {
      if (!this.#rows.has(entry.id)) this.#add(entry);
    }
    if (!locked || this.#wanted === voice) this.#wanted = null;
    for (const [id, { radio }] of this.#rows) {
      radio.checked = id === (this.#wanted ?? voice);
      radio.disabled = closed;
    }
    this.#search.disabled = closed;
    this.#sample.update();
    this.#showOffer(locked && !closed);
    this.#filter();
  }

  #add(entry: VoiceEntry): void {
    const { language, gender, ownVoice } = this.#labels;
    const name = this.#name(entry);
    const radio = h("input", { type: "radio", name: this.#group, value: entry.id });
    const facts = [
      entry.own ? ownVoice : "",
      language[entry.language] ?? entry.language,
      gender[entry.gender] ?? entry.gender,
      entry.description,
    ].filter(Boolean);
    const element = h(
      "div",
      { class: "sn-voice", "data-voice": entry.id },
      h(
        "label",
        { title: entry.id },
        radio,
        h("span", { class: "sn-voice-name" }, name),
        h("span", { class: "sn-hint" }, facts.join(" · ")),
      ),
      this.#sample.button(entry.id, name),
    );
    const words = [entry.id, entry.name.en, entry.name.zh, ...facts].join(" ").toLowerCase();
    this.#rows.set(entry.id, { element, radio, words });
    // One's own voices are few and what one looks for.
    if (entry.own) this.#list.prepend(element);
    else this.#list.append(element);
  }

  #nameOf(voice: string): string {
    const entry = this.#settings.get("voices").find(({ id }) => id === voice);
    return entry ? this.#name(entry) : voice;
  }

  #name({ id, name }: VoiceEntry): string {
    return name[this.#lang] || name.en || id;
  }

  #filter(): void {
    const wanted = this.#search.value.trim();
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const row of this.#rows.values()) {
      const fits = words.every((word) => row.words.includes(word));
      row.element.hidden = !fits;
      found += Number(fits);
    }
    this.#none.hidden = found > 0;
    if (found) return;
    // The service knows voices that no list here does.
    const use = h(
      "button",
      { type: "button", class: "sn-link", title: this.#labels.findVoice },
      fill(this.#labels.useVoice, { voice: wanted }),
    );
    use.addEventListener("click", () => {
      this.#search.value = "";
      this.#choose(wanted);
      this.#filter();
    });
    this.#none.replaceChildren(`${this.#labels.noVoice} `, use);
  }

  #choose(voice: string): void {
    if (this.#settings.get("info").voice_locked) {
      this.#wanted = voice === this.#settings.get("voice") ? null : voice;
      this.update();
    } else {
      this.#settings.set("voice", voice);
    }
  }

  #showOffer(locked: boolean): void {
    const { voiceLocked, restart, restartTitle, keepVoice } = this.#labels;
    const wanted = locked ? this.#wanted : null;
    setAttribute(this.#offer, "data-wanted", wanted ?? undefined);
    this.#offer.hidden = !locked;
    this.#offer.replaceChildren(h("span", {}, voiceLocked));
    if (wanted === null) return;
    const begin = h("button", { type: "button", class: "sn-link", title: restartTitle });
    begin.append(fill(restart, { voice: this.#nameOf(wanted) }));
    begin.addEventListener("click", () => this.#events.restart(wanted));
    const keep = h(
      "button",
      { type: "button", class: "sn-link", title: voiceLocked },
      fill(keepVoice, { voice: this.value() }),
    );
    keep.addEventListener("click", () => {
      this.#wanted = null;
      this.update();
    });
    this.#offer.append(" ", begin, " ", keep);
  }
}

/** A voice of which nothing is known but its id. */
function bare(id: string): VoiceEntry {
  return { id, name: { en: "", zh: "" }, language: "", gender: "", description: "", own: false };
}
