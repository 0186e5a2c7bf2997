import type { AnyModel } from "@anywidget/types";
import { Channel } from "../channel.ts";
import { freshId } from "../controls/parts.ts";
import { Faults } from "../faults.ts";
import { randomId } from "../page.ts";
import { h, setAttribute, setText } from "../ui/dom.ts";
import { fill, type Labels, pageLabels } from "../ui/labels.ts";
import { Notes } from "../ui/notes.ts";
import { followTheme } from "../ui/theme.ts";
import { Bar } from "./bar.ts";
import { Detail } from "./detail.ts";
import { Editor } from "./editor.ts";
import { Feed } from "./feed.ts";
import { number } from "./figures.ts";
import { Files } from "./files.ts";
import { Table } from "./table.ts";
import type { Down, Filter, Up } from "./wire.ts";

export interface InspectorTraits {
  lang: string;
  /** What is shown, whether it is a session, and whether it is what the widget was made for. */
  shown: { name: string; live: boolean; home: boolean };
}

/** The inspector in an output of the notebook. */
export class InspectorView {
  readonly #controller = new AbortController();
  readonly #labels: Labels;
  readonly #lang: string;
  readonly #model: AnyModel<InspectorTraits>;
  readonly #channel: Channel<Up, Down>;
  readonly #root: HTMLElement;
  readonly #notes: Notes;
  readonly #feed: Feed;
  readonly #bar: Bar;
  readonly #table: Table;
  readonly #detail: Detail;
  readonly #editor: Editor;
  readonly #files: Files;
  readonly #opener: HTMLButtonElement;
  readonly #name = h("span", { class: "sn-name" });
  readonly #count = h("span", { class: "sn-hint sn-num" });
  readonly #empty = h("div", { class: "sn-empty sn-hint" });

  constructor(model: AnyModel<InspectorTraits>, el: HTMLElement) {
    const { signal } = this.#controller;
    const { lang, labels } = pageLabels(model.get("lang"));
    const { inspector } = labels;
    this.#model = model;
    this.#labels = labels;
    this.#lang = lang;
    this.#notes = new Notes(labels);
    const faults = new Faults((message, stack) => {
      this.#notes.set("error", { level: "error", text: labels.error, fix: message });
      this.#channel.send("error", { message, stack });
    });
    const channel = new Channel<Up, Down>(model, randomId(), {
      failed: faults.report,
      lost: () => this.#notes.set("kernel", { level: "error", text: labels.goneText, fix: labels.goneFix }),
    });
    this.#channel = channel;
    this.#feed = new Feed((look) => channel.send("look", look));
    this.#bar = new Bar(
      labels,
      { filter: (filter) => this.#filter(filter), pause: (paused) => this.#feed.pause(paused) },
      signal,
    );
    this.#detail = new Detail(labels, () => this.#table.element.focus());
    this.#table = new Table(
      labels,
      this.#feed,
      {
        select: (n) => channel.send("detail", { n }),
        open: () => this.#detail.focus(),
        search: () => this.#bar.search.focus(),
        failed: faults.report,
      },
      signal,
    );
    const [composeId, filesId] = [freshId(), freshId()];
    this.#editor = new Editor(labels, composeId, (text) => channel.send("send", { text }));
    this.#files = new Files(labels, filesId, {
      save: (name) => channel.send("save", { name }),
      load: (name) => channel.send("load", { name }),
    });
    this.#opener = opener(inspector.compose, inspector.composeTitle, this.#editor.element);
    const recording = opener(inspector.recording, inspector.recordingTitle, this.#files.element);
    this.#opener.addEventListener("click", () => close(recording, this.#files.element));
    recording.addEventListener("click", () => close(this.#opener, this.#editor.element));
    this.#root = h(
      "div",
      {
        class: "stepnb-inspector sn-root",
        role: "group",
        "aria-label": inspector.title,
        lang,
        "data-lm-suppress-shortcuts": "true",
      },
      this.#bar.element,
      this.#notes.element,
      h(
        "div",
        { class: "sn-panes" },
        h("div", { class: "sn-list" }, this.#table.element, this.#empty),
        this.#detail.element,
      ),
      h("div", { class: "sn-foot" }, this.#name, this.#count, this.#opener, recording),
      this.#editor.element,
      this.#files.element,
    );
    this.#root.addEventListener("keydown", (event) => event.stopPropagation());
    channel.listen(this.#handlers(), signal);
    const shown = () => this.#anew();
    model.on("change:shown", shown);
    signal.addEventListener("abort", () => model.off("change:shown", shown));
    document.addEventListener("visibilitychange", () => this.#feed.hide(document.hidden), { signal });
    window.addEventListener("pagehide", (event) => event.persisted || this.close(), { signal });
    el.replaceChildren(this.#root);
    followTheme(this.#root, () => {}, signal);
    channel.send("hello", {});
    this.#anew();
  }

  close(): void {
    if (this.#controller.signal.aborted) return;
    this.#channel.send("bye", {});
    this.#controller.abort();
  }

  #handlers() {
    return {
      welcome: ({ templates, files }: Down["welcome"]) => {
        this.#editor.templates(templates);
        this.#files.files(files);
        this.#root.dataset.ready = "true";
      },
      rows: (message: Down["rows"]) => {
        if (!this.#feed.take(message)) return;
        this.#table.arrived();
        this.#table.update();
        this.#tell();
      },
      detail: ({ record }: Down["detail"]) => this.#detail.show(record),
      sent: ({ event_id }: Down["sent"]) => this.#editor.sent(event_id),
      saved: ({ name, files }: Down["saved"]) => {
        this.#files.saved(name);
        this.#files.files(files);
      },
      said: ({ about, text, fix }: Down["said"]) => {
        if (about === "send") this.#editor.refused(text, fix);
        else if (about === "save" || about === "load") this.#files.refused(text, fix);
        else this.#notes.set(about, { level: "warning", text, fix });
      },
    };
  }

  /** Another log is shown, or one for the first time. */
  #anew(): void {
    const { name, live, home } = this.#model.get("shown");
    setText(this.#name, name);
    this.#bar.live(live);
    this.#files.atHome(home);
    setAttribute(this.#opener, "hidden", !live);
    if (!live) close(this.#opener, this.#editor.element);
    this.#detail.show(null);
    this.#table.deselect();
    this.#feed.following = true;
    this.#filter({});
  }

  #filter(filter: Partial<Filter>): void {
    this.#feed.restart(filter);
    this.#table.restart();
  }

  #tell(): void {
    const { inspector } = this.#labels;
    const { total, records, taken, paused } = this.#feed;
    const count = fill(inspector.count, {
      rows: number(total, this.#lang),
      records: number(taken, this.#lang),
    });
    const waiting = paused && records > taken ? fill(inspector.waiting, { n: records - taken }) : "";
    setText(this.#count, [count, waiting].filter(Boolean).join(" · "));
    setText(this.#empty, total ? "" : taken ? inspector.noMatch : inspector.none);
    Object.assign(this.#root.dataset, { total: String(total), paused: String(paused) });
  }
}

/** A button that opens a part below. */
function opener(label: string, title: string, part: HTMLElement): HTMLButtonElement {
  const button = h(
    "button",
    { type: "button", class: "sn-link", title, "aria-expanded": "false", "aria-controls": part.id },
    label,
  );
  button.addEventListener("click", () => {
    part.hidden = !part.hidden;
    setAttribute(button, "aria-expanded", String(!part.hidden));
    if (!part.hidden) part.querySelector<HTMLElement>("textarea, input")?.focus();
  });
  return button;
}

function close(button: HTMLButtonElement, part: HTMLElement): void {
  part.hidden = true;
  setAttribute(button, "aria-expanded", "false");
}
