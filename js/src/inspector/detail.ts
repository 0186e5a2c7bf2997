import { copy } from "../ui/clipboard.ts";
import { h, icon, setAttribute, setText } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import { bytes } from "./figures.ts";
import type { RecordDetail } from "./wire.ts";

const COPY = "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7";

/** All of one record, without its audio. Everything in it is text. */
export class Detail {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #head = h("div", { class: "sn-detail-head" });
  readonly #said = h("span", { class: "sn-hint", role: "status" });
  readonly #copy: HTMLButtonElement;
  readonly #more = h("dl", { class: "sn-more" });
  readonly #json: HTMLPreElement;

  constructor(labels: Labels, back: () => void) {
    this.#labels = labels;
    const { inspector } = labels;
    this.#json = h("pre", { tabindex: "0", "aria-label": inspector.detail, role: "region" });
    this.#copy = h("button", {
      type: "button",
      class: "sn-ghost",
      "aria-label": inspector.copy,
      title: inspector.copy,
    });
    this.#copy.append(icon(COPY));
    this.#copy.addEventListener("click", () => {
      copy(this.#json.textContent ?? "").then((done) => {
        setText(this.#said, done ? labels.copied : labels.notCopied);
      });
    });
    const top = h("div", { class: "sn-detail-top" }, this.#head, this.#said, this.#copy);
    this.element = h("div", { class: "sn-detail" }, top, this.#more, this.#json);
    this.element.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") back();
    });
    this.show(null);
  }

  focus(): void {
    this.#json.focus();
  }

  show(record: RecordDetail | null): void {
    const { inspector } = this.#labels;
    setText(this.#said, "");
    for (const part of [this.#copy, this.#json]) setAttribute(part, "hidden", record === null);
    this.#more.replaceChildren();
    setAttribute(this.element, "data-n", record === null ? undefined : String(record.n));
    if (record === null) {
      this.#head.replaceChildren(h("span", { class: "sn-hint" }, inspector.hint));
      return;
    }
    const facts = [
      `${record.at.toFixed(3)} s`,
      inspector.sides[record.side],
      record.count > 1 ? fill(inspector.first, { n: record.count }) : "",
      record.bytes ? bytes(record.bytes) : "",
    ];
    this.#head.replaceChildren(
      h("b", {}, record.type),
      h("span", { class: "sn-hint sn-num" }, facts.filter(Boolean).join(" · ")),
    );
    if (record.together) this.#tell(inspector.together, record.together);
    for (const repair of record.repairs) this.#tell(inspector.repaired, repair);
    setText(this.#json, record.json);
    this.#json.scrollTop = 0;
  }

  #tell(name: string, text: string): void {
    this.#more.append(h("div", {}, h("dt", {}, name), h("dd", {}, text)));
  }
}
