import type { AnyModel } from "@anywidget/types";
import { Channel } from "../channel.ts";
import { randomId } from "../page.ts";
import { h, setAttribute, setText } from "../ui/dom.ts";
import { type Labels, pageLabels } from "../ui/labels.ts";
import { followTheme } from "../ui/theme.ts";
import { freshId, type Part, Refusal, type Settings } from "./parts.ts";
import { Prompt } from "./prompt.ts";
import { Sample } from "./sample.ts";
import { Tools } from "./tools.ts";
import type { ControlsDown, ControlsUp, ControlTraits, Section } from "./traits.ts";
import { Turns } from "./turns.ts";
import { VoicePart } from "./voice.ts";

interface Shown {
  part: Part;
  tab: HTMLButtonElement;
  value: HTMLElement;
  pane: HTMLElement;
  refusal: Refusal;
  problem: Refusal;
}

/** The settings: folded into a strip that shows their values; one section at a time opens below it. */
export class ControlsView {
  readonly #controller = new AbortController();
  readonly #model: AnyModel<ControlTraits>;
  readonly #labels: Labels;
  readonly #lang: "en" | "zh";
  readonly #channel: Channel<ControlsUp, ControlsDown>;
  readonly #sample: Sample;
  readonly #root: HTMLElement;
  readonly #shown = new Map<Section, Shown>();
  #open: Section | null = null;
  #askedForOwn = false;

  constructor(model: AnyModel<ControlTraits>, el: HTMLElement) {
    const { signal } = this.#controller;
    const { lang, labels } = pageLabels(model.get("lang"));
    this.#model = model;
    this.#labels = labels;
    this.#lang = lang;
    this.#channel = new Channel(model, randomId(), {
      failed: (error) => console.error(error),
      lost: () => this.#lose(),
    });
    this.#sample = new Sample(labels, (voice) => this.#channel.send("sample", { voice }), signal);
    this.#root = h("div", {
      class: "stepnb-controls sn-root",
      role: "group",
      "aria-label": labels.settings,
      lang,
      "data-lm-suppress-shortcuts": "true",
    });
    const { sections } = model.get("info");
    const strip = h("div", { class: "sn-fold", hidden: sections.length === 1 });
    this.#root.append(strip);
    for (const section of sections) {
      const shown = this.#make(section, signal);
      this.#shown.set(section, shown);
      strip.append(shown.tab);
      this.#root.append(shown.pane);
      shown.tab.addEventListener("click", () => this.#toggle(section));
    }
    // JupyterLab's shortcuts must not hear keys pressed in here.
    this.#root.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape" && this.#open && sections.length > 1) this.#fold();
    });
    const tell = (problem: string | null) => this.#tell(problem);
    this.#channel.listen(
      {
        sample: ({ voice, wav, problem }) => {
          tell(problem);
          this.#sample.take(voice, wav);
        },
        own_voices: ({ problem }) => tell(problem),
      },
      signal,
    );
    const update = () => this.#update();
    model.on("change", update);
    signal.addEventListener("abort", () => model.off("change", update));
    el.replaceChildren(this.#root);
    followTheme(this.#root, () => {}, signal);
    this.#update();
    const [first] = sections;
    if (sections.length === 1 && first) this.#toggle(first);
  }

  close(): void {
    this.#controller.abort();
  }

  #make(section: Section, signal: AbortSignal): Shown {
    const settings: Settings = {
      get: (name) => this.#model.get(name),
      set: (name, value) => {
        this.#model.set(name, value);
        this.#model.save_changes();
        this.#update();
      },
    };
    const parts: Record<Section, () => Part> = {
      voice: () =>
        new VoicePart(settings, this.#labels, this.#lang, this.#sample, {
          restart: (voice) => this.#channel.send("restart", { voice }),
          opened: () => this.#askForOwn(),
        }),
      prompt: () => new Prompt(settings, this.#labels, signal),
      turns: () => new Turns(settings, this.#labels, signal),
      tools: () => new Tools(settings, this.#labels),
    };
    const part = parts[section]();
    const [tabId, paneId] = [freshId(), freshId()];
    const value = h("span", { class: "sn-num" });
    const title = this.#labels.sectionTitle[section];
    const tab = h(
      "button",
      { type: "button", id: tabId, title, "aria-expanded": "false", "aria-controls": paneId },
      h("b", {}, this.#labels.sections[section]),
      value,
    );
    tab.dataset.section = section;
    const refusal = new Refusal();
    const problem = new Refusal();
    problem.update("", undefined);
    const pane = h(
      "div",
      { class: "sn-pane", id: paneId, role: "region", "aria-labelledby": tabId, hidden: true },
      refusal.element,
      problem.element,
      part.element,
    );
    return { part, tab, value, pane, refusal, problem };
  }

  #askForOwn(): void {
    if (this.#askedForOwn) return;
    this.#askedForOwn = true;
    this.#channel.send("own_voices", {});
  }

  #toggle(section: Section): void {
    const opens = this.#open !== section;
    this.#fold();
    const shown = this.#shown.get(section);
    if (!opens || !shown) return;
    this.#open = section;
    shown.pane.hidden = false;
    setAttribute(shown.tab, "aria-expanded", "true");
    shown.part.opened?.();
    this.#update();
  }

  #fold(): void {
    const shown = this.#open && this.#shown.get(this.#open);
    this.#open = null;
    if (!shown) return;
    shown.pane.hidden = true;
    setAttribute(shown.tab, "aria-expanded", "false");
    if (shown.pane.contains(document.activeElement)) shown.tab.focus();
  }

  #update(): void {
    const { refused, unconfirmed } = this.#model.get("info");
    for (const { part, tab, value, refusal } of this.#shown.values()) {
      part.update();
      setText(value, part.value());
      const waits = unconfirmed.includes(part.field);
      setAttribute(tab, "data-unconfirmed", waits ? "true" : undefined);
      setAttribute(value, "title", waits ? this.#labels.unconfirmed : undefined);
      refusal.update(this.#labels.refused, refused[part.field]);
    }
  }

  /** What could not be done for the voices. */
  #tell(problem: string | null): void {
    this.#shown.get("voice")?.problem.update("", problem ?? undefined);
  }

  #lose(): void {
    this.#root.dataset.gone = "true";
    for (const input of this.#root.querySelectorAll<HTMLInputElement>(
      ".sn-pane :is(input, textarea, select, button)",
    )) {
      input.disabled = true;
    }
  }
}
