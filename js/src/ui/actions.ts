import { copy } from "./clipboard.ts";
import { h, icon, setAttribute, setText } from "./dom.ts";
import { fill, type Labels } from "./labels.ts";

export type Format = "md" | "json" | "wav";

export interface ActionEvents {
  /** The conversation as text. */
  text(): string;
  export(format: Format): void;
  /** Chooses a file to speak. */
  file(): void;
}

const DOTS = "M3 8h.01M8 8h.01M13 8h.01";
const FORMATS: [Format, string][] = [
  ["md", "Markdown"],
  ["json", "JSON"],
  ["wav", "WAV"],
];

/** What is rarely wanted: a button in the header, which opens a line below it. */
export class Actions {
  readonly button: HTMLButtonElement;
  readonly element: HTMLElement;

  constructor(labels: Labels, id: string, events: ActionEvents) {
    this.button = h("button", {
      type: "button",
      class: "sn-ghost sn-more",
      title: labels.actions,
      "aria-label": labels.actions,
      "aria-expanded": "false",
      "aria-controls": id,
    });
    this.button.append(icon(DOTS));
    const said = h("span", { class: "sn-said", role: "status" });
    this.element = h("div", {
      class: "sn-actions",
      id,
      hidden: true,
      role: "group",
      "aria-label": labels.actions,
    });
    const action = (label: string, title: string, run: () => void) => {
      const button = h("button", { type: "button", class: "sn-link", title }, label);
      button.addEventListener("click", run);
      this.element.append(button);
    };
    action(labels.copyAll, labels.copyAll, async () => {
      setText(said, (await copy(events.text())) ? labels.copied : labels.notCopied);
    });
    for (const [format, name] of FORMATS) {
      action(fill(labels.exportAs, { format: name }), labels.exportTitle, () => events.export(format));
    }
    action(labels.ladder.file, labels.ladder.fileTitle, events.file);
    this.element.append(said);
    this.button.addEventListener("click", () => this.#open(this.element.hidden === true));
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#open(false);
      this.button.focus();
    });
  }

  #open(open: boolean): void {
    this.element.hidden = !open;
    setAttribute(this.button, "aria-expanded", String(open));
  }
}
