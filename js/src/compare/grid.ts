import { h } from "../ui/dom.ts";
import type { Labels } from "../ui/labels.ts";
import { CellView } from "./cell.ts";
import type { CompareTraits } from "./traits.ts";
import type { Transport } from "./transport.ts";

/** Texts down, voices across; in a row, all cursors are at the same place. */
export class Grid {
  readonly element: HTMLElement;
  readonly #transport: Transport;
  readonly #cells: { id: string; voice: number; row: string; view: CellView; silent: boolean }[] = [];

  constructor({ voices, texts, cells }: CompareTraits["grid"], labels: Labels, transport: Transport) {
    this.#transport = transport;
    const body = h("tbody");
    texts.forEach((text, row) => {
      const line = h("tr", {}, h("th", { scope: "row" }, text));
      cells.forEach((cell, index) => {
        if (cell.text !== row) return;
        const id = String(index);
        const name = voices[cell.voice] ?? "";
        const view = new CellView(cell, name, labels, {
          play: (share) => transport.play(id, `row ${row}`, share),
          pause: () => transport.pause(),
        });
        this.#cells.push({ id, voice: cell.voice, row: `row ${row}`, view, silent: cell.error !== null });
        line.append(view.element);
      });
      body.append(line);
    });
    const heads = voices.map((voice) => h("th", { scope: "col" }, voice));
    const table = h("table", {}, h("thead", {}, h("tr", {}, h("td"), ...heads)), body);
    this.element = h("div", { class: "sn-grid" }, h("p", { class: "sn-hint" }, labels.compare.hint), table);
    this.element.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step && this.#go(step)) event.preventDefault();
    });
  }

  update(): void {
    const { cell, group, playing, share } = this.#transport;
    for (const { id, row, view } of this.#cells) {
      view.update(playing && id === cell, row === group && (playing || share > 0) ? share : null);
    }
  }

  /** To the next voice in the same row. */
  #go(step: number): boolean {
    const at = this.#cells.find(({ id }) => id === this.#transport.cell);
    if (!at) return false;
    const row = this.#cells.filter((one) => one.row === at.row && !one.silent);
    const next = row[(row.indexOf(at) + step + row.length) % row.length];
    if (!next) return false;
    this.#transport.play(next.id, next.row);
    return true;
  }
}
