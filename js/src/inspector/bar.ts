import { Switch } from "../controls/parts.ts";
import { h, icon, setAttribute } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import type { Filter } from "./wire.ts";

const PAUSE = "M5.5 4v8M10.5 4v8";
const RESUME = "M5.2 3.6l7 4.4-7 4.4z";
/** From the last key until the table follows. */
const TYPING_MS = 200;

export interface BarEvents {
  filter(filter: Partial<Filter>): void;
  pause(paused: boolean): void;
}

/** What is shown of the events, and whether the table goes on. */
export class Bar {
  readonly element: HTMLElement;
  readonly search: HTMLInputElement;
  readonly #labels: Labels;
  readonly #pause: HTMLButtonElement;
  #paused = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(labels: Labels, events: BarEvents, signal: AbortSignal) {
    this.#labels = labels;
    const { inspector } = labels;
    const typed = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => events.filter({ text: this.search.value, type: type.value }), TYPING_MS);
    };
    const field = (name: "text" | "type", label: string, title: string) => {
      const input = h("input", {
        type: "search",
        class: `sn-field sn-by-${name}`,
        placeholder: label,
        "aria-label": label,
        title,
        autocomplete: "off",
        spellcheck: "false",
        maxlength: "200",
      });
      input.addEventListener("input", typed);
      return input;
    };
    this.search = field("text", inspector.search, inspector.search);
    const type = field("type", inspector.typeHint, inspector.typeTitle);
    const side = h("select", {
      class: "sn-select",
      "aria-label": inspector.sideTitle,
      title: inspector.sideTitle,
    });
    side.append(h("option", { value: "" }, inspector.allSides));
    for (const [value, name] of Object.entries(inspector.sides)) {
      side.append(h("option", { value }, fill(inspector.onlySide, { side: name })));
    }
    side.addEventListener("change", () => events.filter({ side: side.value as Filter["side"] }));
    const fold = new Switch([inspector.fold], inspector.foldTitle, undefined, (on) =>
      events.filter({ fold: on }),
    );
    fold.update(true, false);
    this.#pause = h("button", { type: "button", class: "sn-ghost" });
    this.#pause.addEventListener("click", () => {
      this.#paused = !this.#paused;
      this.#show();
      events.pause(this.#paused);
    });
    this.#show();
    this.element = h("div", { class: "sn-bar" }, this.search, type, side, fold.element, this.#pause);
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  /** A recording has nothing to pause. */
  live(live: boolean): void {
    setAttribute(this.#pause, "hidden", !live);
  }

  #show(): void {
    const { pause, resume, pauseTitle } = this.#labels.inspector;
    this.#pause.replaceChildren(icon(this.#paused ? RESUME : PAUSE));
    setAttribute(this.#pause, "aria-label", this.#paused ? resume : pause);
    setAttribute(this.#pause, "title", this.#paused ? resume : `${pause}: ${pauseTitle}`);
  }
}
