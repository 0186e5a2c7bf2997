import type { ToolCall } from "../envelope.ts";
import { h, setText } from "./dom.ts";
import { fill, type Labels } from "./labels.ts";

export interface CallEvents {
  approve(call: string, allow: boolean): void;
}

interface Shown {
  element: HTMLElement;
  text: string;
}

/** The functions a row's answer called: one line each, which opens, and the buttons of those that await approval. */
export class Calls {
  readonly element = h("div", { class: "sn-calls" });
  readonly #labels: Labels;
  readonly #events: CallEvents;
  readonly #shown = new Map<string, Shown>();

  constructor(labels: Labels, events: CallEvents) {
    this.#labels = labels;
    this.#events = events;
  }

  update(calls: ToolCall[]): void {
    for (const call of calls) {
      const text = JSON.stringify(call);
      const before = this.#shown.get(call.call);
      if (before?.text === text) continue;
      const element = this.#make(call, before?.element.querySelector("details")?.open ?? false);
      if (before) before.element.replaceWith(element);
      else this.element.append(element);
      this.#shown.set(call.call, { element, text });
    }
  }

  #make(call: ToolCall, open: boolean): HTMLElement {
    const { toolStatus, milliseconds, callDetails, arguments: argumentsLabel, result } = this.#labels;
    const line = h(
      "span",
      { class: "sn-call-line" },
      h("b", { class: "sn-call-name" }, call.name),
      `(${shortly(call.arguments)})`,
    );
    const status = toolStatus[call.status];
    if (status) line.append(" ", h("span", { class: "sn-call-status" }, status));
    if (call.output !== null && call.status === "completed") line.append(` → ${call.output}`);
    if (call.ms !== null) {
      const took = fill(milliseconds, { ms: Math.round(call.ms) });
      line.append(" ", h("span", { class: "sn-num sn-took" }, took));
    }
    const summary = h(
      "summary",
      { class: "sn-fold-line sn-call-head", title: fill(callDetails, { tool: call.name }) },
      line,
    );
    const details = h(
      "details",
      { open },
      summary,
      h("div", { class: "sn-call-part" }, argumentsLabel),
      pre(call.arguments || "{}"),
    );
    if (call.output !== null) details.append(h("div", { class: "sn-call-part" }, result), pre(call.output));
    const element = h("div", { class: "sn-call", "data-status": call.status }, details);
    if (call.status === "awaiting approval") element.append(this.#buttons(call));
    return element;
  }

  #buttons({ call, name }: ToolCall): HTMLElement {
    const { approve, approveTitle, deny, denyTitle } = this.#labels;
    const button = (word: string, title: string, allow: boolean) => {
      const made = h(
        "button",
        { type: "button", class: "sn-decide", title, "aria-label": `${word}: ${name}` },
        word,
      );
      made.addEventListener("click", () => {
        // Once is enough, also while the kernel is busy: its row says what was decided.
        for (const other of group.querySelectorAll("button")) other.disabled = true;
        this.#events.approve(call, allow);
      });
      return made;
    };
    const group = h("div", { class: "sn-decision" });
    group.append(button(approve, approveTitle, true), button(deny, denyTitle, false));
    return group;
  }
}

/** `{"city":"Paris"}` as `city="Paris"`. */
function shortly(text: string): string {
  try {
    const values: unknown = JSON.parse(text || "{}");
    if (typeof values === "object" && values !== null && !Array.isArray(values)) {
      return Object.entries(values)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(", ");
    }
  } catch {
    // Not complete yet, or no JSON at all: shown as it is.
  }
  return text;
}

function pre(text: string): HTMLElement {
  const element = h("pre", { tabindex: "0" });
  setText(element, text);
  return element;
}
