import { h, setAttribute, setText } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import { bytes, rate } from "./figures.ts";
import type { Row } from "./wire.ts";

const ARROWS = { in: "←", out: "→", local: "·" };
export const COLUMNS = ["time", "side", "type", "size", "rate", "text"] as const;

/** One line of the table: a row, or the place of one that has not come yet. */
export class Line {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #cells: Record<(typeof COLUMNS)[number], HTMLElement>;

  constructor(labels: Labels, index: number, id: string) {
    this.#labels = labels;
    this.#cells = Object.fromEntries(
      COLUMNS.map((name, column) => [
        name,
        h("span", { role: "gridcell", class: `sn-${name}`, "aria-colindex": String(column + 1) }),
      ]),
    ) as Record<(typeof COLUMNS)[number], HTMLElement>;
    this.element = h(
      "div",
      { class: "sn-event", role: "row", id, "aria-rowindex": String(index + 2), "data-index": String(index) },
      ...COLUMNS.map((name) => this.#cells[name]),
    );
  }

  fill(row: Row | undefined, selected: boolean): void {
    const { element } = this;
    const cells = this.#cells;
    setAttribute(element, "aria-selected", String(selected));
    setAttribute(element, "data-n", row && String(row.n));
    setAttribute(element, "data-side", row?.side);
    setAttribute(element, "data-bad", row && /^(error|malformed)$/.test(row.type));
    if (!row) {
      for (const name of COLUMNS) setText(cells[name], name === "type" ? "…" : "");
      return;
    }
    const { inspector } = this.#labels;
    setText(cells.time, row.at.toFixed(3));
    setText(cells.side, ARROWS[row.side]);
    setAttribute(cells.side, "title", inspector.sides[row.side]);
    setAttribute(cells.side, "aria-label", inspector.sides[row.side]);
    setText(cells.type, row.type);
    const count = row.count > 1 ? `× ${row.count}` : "";
    const size = row.bytes ? bytes(row.bytes) : "";
    setText(cells.size, [count, size].filter(Boolean).join(" · "));
    setText(cells.rate, rate(row, this.#labels));
    const sound = row.audio_ms ? fill(inspector.sound, { s: (row.audio_ms / 1000).toFixed(2) }) : "";
    setText(cells.text, row.text || sound);
  }
}
