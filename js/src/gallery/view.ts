import type { AnyModel } from "@anywidget/types";
import { soundFile } from "../audio/base64.ts";
import { Channel } from "../channel.ts";
import { Faults } from "../faults.ts";
import { randomId } from "../page.ts";
import { h } from "../ui/dom.ts";
import { fill, pageLabels } from "../ui/labels.ts";
import { Notes } from "../ui/notes.ts";
import { followTheme } from "../ui/theme.ts";
import { Board } from "./board.ts";
import type { Cell, GalleryDown, GalleryTraits, GalleryUp } from "./contract.ts";
import { Toolbar } from "./toolbar.ts";
import { Transport } from "./transport.ts";

/** An experiment in an output of the notebook. */
export class GalleryView {
  readonly #controller = new AbortController();

  constructor(model: AnyModel<GalleryTraits>, el: HTMLElement) {
    const { signal } = this.#controller;
    const { lang, labels } = pageLabels(model.get("lang"));
    const notes = new Notes(labels);
    const faults = new Faults((message, stack) => {
      notes.set("error", { level: "error", text: labels.error, fix: message });
      channel.send("error", { message, stack });
    });
    const channel = new Channel<GalleryUp, GalleryDown>(model, randomId(), {
      failed: faults.report,
      lost: () => notes.set("kernel", { level: "error", text: labels.goneText, fix: labels.goneFix }),
    });
    const { guard } = faults;
    const transport = new Transport(
      labels,
      {
        want: guard(({ key, turn }) => channel.send("hear", { key, turn })),
        playing: guard((track) => board.playing(track)),
      },
      signal,
    );
    const head = model.get("head");
    let asked = 0;
    // Made once for a gallery: a row that comes back into view is in the same order.
    const seed = Math.floor(Math.random() * 2 ** 31);
    const board = new Board(
      head,
      labels,
      {
        need: guard((inputs) => {
          const { repeat, reference } = toolbar.choice;
          channel.send("rows", { inputs, repeat, reference });
        }),
        play: guard((track, on) => transport.play(track, on)),
        rate: guard((cell: Cell, kind, value) =>
          channel.send("rate", { key: cell.key, kind, value, blind: toolbar.choice.blind }),
        ),
      },
      signal,
    );
    const query = () => {
      const { text, sort, variant, down } = toolbar.choice;
      asked += 1;
      channel.send("query", { id: asked, text, sort, variant, down });
    };
    const toolbar = new Toolbar(head, labels, guard(query), signal);
    const root = h(
      "div",
      {
        class: "stepnb-gallery sn-root",
        role: "group",
        "aria-label": fill(labels.gallery.title, { name: head.name }),
        lang,
        "data-lm-suppress-shortcuts": "true",
      },
      notes.element,
      toolbar.element,
      board.element,
      transport.element,
    );
    root.addEventListener("keydown", (event) => event.stopPropagation());
    channel.listen(
      {
        order: ({ id, inputs }) => {
          if (id === asked) board.show(model.get("head"), inputs, toolbar.choice.blind ? seed : null);
        },
        rows: ({ repeat, reference, rows }) => {
          const choice = toolbar.choice;
          if (repeat === choice.repeat && reference === choice.reference) board.fill(rows);
        },
        sound: ({ key, turn, flac }) => transport.load(key, turn, soundFile(flac, "audio/flac")),
        refused: ({ text, fix }) => notes.set("refused", { level: "warning", text, fix }),
      },
      signal,
    );
    const follow = guard(query);
    model.on("change:head", follow);
    signal.addEventListener("abort", () => model.off("change:head", follow));
    el.replaceChildren(root);
    followTheme(root, () => {}, signal);
    channel.send("hello", {});
    query();
  }

  close(): void {
    this.#controller.abort();
  }
}
