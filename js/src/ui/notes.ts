import type { Level } from "../envelope.ts";
import { h, icon } from "./dom.ts";
import type { Labels } from "./labels.ts";

/** Notes shown at a time; the oldest makes room. */
const SHOWN = 4;

export interface Action {
  label: string;
  /** What is not in the label. */
  title?: string;
  /** What it does, or the page it opens. */
  run: (() => void) | string;
}

export interface Note {
  level: Level;
  text: string;
  /** What to do about it. */
  fix?: string | null | undefined;
  /** Buttons that do it. */
  actions?: readonly Action[];
}

/** What the person should know, in place: one line per subject, each with its way out. */
export class Notes {
  readonly element = h("div", { class: "sn-notes", role: "status" });
  readonly #labels: Labels;
  readonly #shown = new Map<string, { text: string; line: HTMLElement }>();

  constructor(labels: Labels) {
    this.#labels = labels;
  }

  /** Shows a note in the place of the one with the same subject. */
  set(subject: string, note: Note): void {
    const text = [note.text, note.fix, ...(note.actions ?? []).map(({ label }) => label)].join(" ");
    if (this.#shown.get(subject)?.text === text) return;
    this.clear(subject);
    const line = this.#line(subject, note);
    this.#shown.set(subject, { text, line });
    this.element.append(line);
    for (const oldest of this.#shown.keys()) {
      if (this.#shown.size <= SHOWN) break;
      this.clear(oldest);
    }
  }

  clear(subject: string): void {
    this.#shown.get(subject)?.line.remove();
    this.#shown.delete(subject);
  }

  #line(subject: string, { level, text, fix, actions = [] }: Note): HTMLElement {
    const dismiss = h("button", {
      type: "button",
      class: "sn-ghost",
      title: this.#labels.dismiss,
      "aria-label": this.#labels.dismiss,
    });
    dismiss.append(icon("M4 4l8 8M12 4l-8 8"));
    dismiss.addEventListener("click", () => this.clear(subject));
    const words = h("div", { class: "sn-note-text" }, h("b", {}, text));
    if (fix) words.append(" ", fix);
    for (const { label, title = label, run } of actions) {
      words.append(" ", typeof run === "string" ? link(label, title, run) : button(label, title, run));
    }
    return h("div", { class: "sn-note", "data-level": level, "data-note": subject }, words, dismiss);
  }
}

function button(label: string, title: string, run: () => void): HTMLElement {
  const element = h("button", { type: "button", class: "sn-link", title }, label);
  element.addEventListener("click", run);
  return element;
}

function link(label: string, title: string, href: string): HTMLElement {
  return h("a", { class: "sn-link", href, title, target: "_blank", rel: "noopener noreferrer" }, label);
}
