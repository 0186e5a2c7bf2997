import { h } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import { field, type Part, type Settings, Switch, showIn } from "./parts.ts";
import type { ToolEntry } from "./traits.ts";

type Change = (values: Partial<ToolEntry>) => void;

/** One tool: its switch, and what it can be set to. */
class ToolRow {
  readonly element: HTMLElement;
  readonly #switch: Switch;
  readonly #inputs: Partial<Record<keyof ToolEntry, HTMLInputElement | HTMLTextAreaElement>> = {};
  readonly #approval: HTMLSelectElement | null = null;

  constructor(entry: ToolEntry, labels: Labels, change: Change) {
    const { kind } = entry;
    const number = /\d+$/.exec(entry.name)?.[0] ?? "";
    const name =
      kind === "function"
        ? entry.name
        : kind === "web_search"
          ? labels.webSearch
          : `${labels.retrieval} ${number}`.trim();
    const label = fill(labels.toolOn, { tool: name });
    const words = h(kind === "function" ? "code" : "b", {}, name);
    this.#switch = new Switch([words], label, label, (on) => change({ on }));
    const hint =
      kind === "function"
        ? entry.description
        : kind === "web_search"
          ? labels.webSearchHint
          : labels.retrievalHint;
    const values = h("div", { class: "sn-values" });
    this.element = h(
      "div",
      { class: "sn-tool-row", "data-tool": entry.name },
      h("div", { class: "sn-tool-head" }, this.#switch.element, h("span", { class: "sn-hint" }, hint ?? "")),
      values,
    );
    if (kind === "function") {
      this.#approval = h("select", {
        class: "sn-select",
        "aria-label": fill(labels.approval, { tool: name }),
        title: labels.approvalTitle,
      });
      for (const [value, text] of Object.entries(labels.approvals)) {
        this.#approval.append(h("option", { value }, text));
      }
      const select = this.#approval;
      select.addEventListener("change", () =>
        change({ approval: select.value as NonNullable<ToolEntry["approval"]> }),
      );
      this.element.firstElementChild?.append(select);
    } else if (kind === "web_search") {
      const top = h("input", { type: "number", class: "sn-number sn-num", min: "1", max: "50", step: "1" });
      const time = h("input", {
        type: "number",
        class: "sn-number sn-num",
        min: "0.5",
        max: "60",
        step: "0.5",
      });
      this.#inputs = { top_k: top, timeout_seconds: time };
      values.append(
        field(labels.topK, labels.topKTitle, top, (text) => change({ top_k: Math.round(Number(text)) })),
        field(labels.searchTimeout, labels.searchTimeoutTitle, time, (text) =>
          change({ timeout_seconds: Number(text) }),
        ),
      );
    } else {
      const store = h("input", { type: "text", class: "sn-line", autocomplete: "off", spellcheck: "false" });
      const template = h("textarea", { class: "sn-line", rows: "2", placeholder: labels.templateHint });
      this.#inputs = { vector_store_id: store, prompt_template: template };
      values.append(
        field(labels.store, labels.storeTitle, store, (text) => change({ vector_store_id: text.trim() })),
        field(labels.template, labels.templateTitle, template, (text) =>
          change({ prompt_template: text.trim() }),
        ),
      );
    }
  }

  update(entry: ToolEntry, closed: boolean): void {
    this.#switch.update(entry.on, closed);
    for (const [name, input] of Object.entries(this.#inputs)) {
      showIn(input, String(entry[name as keyof ToolEntry] ?? ""), closed);
    }
    if (!this.#approval) return;
    this.#approval.value = entry.approval ?? "session";
    this.#approval.disabled = closed;
  }
}

/** What the model may call. */
export class Tools implements Part {
  readonly field = "tools";
  readonly element = h("div", {});
  readonly #settings: Settings;
  readonly #labels: Labels;
  readonly #rows = new Map<string, ToolRow>();
  readonly #empty: HTMLElement;

  constructor(settings: Settings, labels: Labels) {
    this.#settings = settings;
    this.#labels = labels;
    this.#empty = h("p", { class: "sn-hint" }, labels.noTools);
    this.element.append(this.#empty);
  }

  value(): string {
    const on = this.#settings.get("tools").filter((entry) => entry.on).length;
    return on ? fill(this.#labels.toolsOn, { n: on }) : this.#labels.none;
  }

  update(): void {
    const { closed } = this.#settings.get("info");
    const entries = this.#settings.get("tools");
    for (const entry of entries) {
      const key = `${entry.kind} ${entry.name}`;
      let row = this.#rows.get(key);
      if (!row) {
        row = new ToolRow(entry, this.#labels, (values) => this.#change(key, values));
        this.#rows.set(key, row);
        this.element.append(row.element);
      }
      row.update(entry, closed);
    }
    this.#empty.hidden = entries.some((entry) => entry.kind === "function");
  }

  #change(key: string, values: Partial<ToolEntry>): void {
    const entries = this.#settings.get("tools");
    const changed = entries.map((entry) =>
      `${entry.kind} ${entry.name}` === key ? { ...entry, ...values } : entry,
    );
    this.#settings.set("tools", changed);
  }
}
