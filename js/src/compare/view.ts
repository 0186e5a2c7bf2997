import type { AnyModel } from "@anywidget/types";
import { Channel } from "../channel.ts";
import { Faults } from "../faults.ts";
import { randomId } from "../page.ts";
import { h, setAttribute } from "../ui/dom.ts";
import { pageLabels } from "../ui/labels.ts";
import { followTheme } from "../ui/theme.ts";
import { Blind } from "./blind.ts";
import { Grid } from "./grid.ts";
import type { CompareDown, CompareTraits, CompareUp } from "./traits.ts";
import { Transport } from "./transport.ts";

/** Voices side by side, or blind. */
export class CompareView {
  readonly #controller = new AbortController();
  readonly #transport: Transport;
  readonly #grid: Grid;
  readonly #blind: Blind;
  readonly #tabs: Record<"grid" | "blind", HTMLButtonElement>;
  #frame = 0;

  constructor(model: AnyModel<CompareTraits>, el: HTMLElement) {
    const { signal } = this.#controller;
    const { lang, labels } = pageLabels(model.get("lang"));
    const words = labels.compare;
    const faults = new Faults((message, stack) => channel.send("error", { message, stack }));
    const channel = new Channel<CompareUp, CompareDown>(model, randomId(), {
      failed: faults.report,
      lost: () => setAttribute(root, "data-gone", "true"),
    });
    this.#transport = new Transport(
      (cell) => channel.send("listen", { cell }),
      () => this.#follow(),
      signal,
    );
    this.#grid = new Grid(model.get("grid"), labels, this.#transport);
    this.#blind = new Blind(labels, this.#transport, {
      judge: (number, choice) => channel.send("judge", { number, choice }),
      undo: () => channel.send("undo", {}),
      begin: () => channel.send("begin", {}),
    });
    const tab = (label: string, title: string, which: "grid" | "blind") => {
      const made = h("button", { type: "button", role: "tab", "aria-selected": "false", title }, label);
      made.addEventListener("click", () => this.#choose(which));
      return made;
    };
    this.#tabs = {
      grid: tab(words.sideBySide, words.tips.sideBySide, "grid"),
      blind: tab(words.blind, words.tips.blind, "blind"),
    };
    const root = h(
      "div",
      {
        class: "stepnb-compare sn-root",
        role: "group",
        "aria-label": words.title,
        lang,
        "data-lm-suppress-shortcuts": "true",
      },
      h("div", { class: "sn-tabs", role: "tablist" }, this.#tabs.grid, this.#tabs.blind),
      this.#grid.element,
      this.#blind.element,
    );
    channel.listen(
      {
        sound: ({ cell, number, wav }) => {
          // A and B of a trial that is over are others than those asked for now.
          const late = (cell === "a" || cell === "b") && number !== model.get("trial").number;
          if (!late) this.#transport.take(cell, wav);
        },
      },
      signal,
    );
    const show = faults.guard(() => this.#blind.show(model.get("trial"), model.get("scores")));
    for (const name of ["change:trial", "change:scores"] as const) {
      model.on(name, show);
      signal.addEventListener("abort", () => model.off(name, show));
    }
    signal.addEventListener("abort", () => cancelAnimationFrame(this.#frame));
    el.replaceChildren(root);
    followTheme(root, () => {}, signal);
    show();
    this.#choose("grid");
  }

  close(): void {
    this.#controller.abort();
  }

  #choose(which: "grid" | "blind"): void {
    this.#transport.stop();
    this.#grid.element.hidden = which !== "grid";
    this.#blind.element.hidden = which !== "blind";
    for (const [name, tab] of Object.entries(this.#tabs)) {
      setAttribute(tab, "aria-selected", String(name === which));
    }
    if (which === "blind") this.#blind.element.focus({ preventScroll: true });
  }

  /** Shows where it plays, as long as it does. */
  #follow(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#grid.update();
      this.#blind.update();
      if (this.#transport.playing) this.#follow();
    });
  }
}
