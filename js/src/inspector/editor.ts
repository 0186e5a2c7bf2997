import { h, setAttribute, setText } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";

/** An event to write, from a template, and to send as it is. */
export class Editor {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #choice: HTMLSelectElement;
  readonly #text: HTMLTextAreaElement;
  readonly #send: HTMLButtonElement;
  readonly #said = h("span", { class: "sn-line", role: "status" });
  #templates: { type: string }[] = [];

  constructor(labels: Labels, id: string, send: (text: string) => void) {
    this.#labels = labels;
    const { inspector } = labels;
    this.#choice = h("select", {
      class: "sn-select",
      "aria-label": inspector.template,
      title: inspector.template,
    });
    this.#text = h("textarea", {
      class: "sn-code",
      rows: "7",
      spellcheck: "false",
      autocomplete: "off",
      "aria-label": inspector.event,
      title: inspector.event,
    });
    this.#send = h(
      "button",
      { type: "button", class: "sn-button sn-send", title: inspector.sendTitle },
      inspector.send,
    );
    const go = () => {
      this.#send.disabled = true;
      this.#tell("", false);
      send(this.#text.value);
    };
    this.#send.addEventListener("click", go);
    this.#text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !this.#send.disabled) go();
    });
    this.#choice.addEventListener("change", () => this.#fill());
    const foot = h("div", { class: "sn-row-of" }, this.#choice, this.#send, this.#said);
    this.element = h("div", { class: "sn-compose", id, hidden: true }, this.#text, foot);
  }

  templates(templates: { type: string }[]): void {
    if (this.#templates.length) return; // what is being written stays
    this.#templates = templates;
    this.#choice.replaceChildren(...templates.map(({ type }) => h("option", { value: type }, type)));
    this.#fill();
  }

  sent(id: string): void {
    this.#send.disabled = false;
    this.#tell(fill(this.#labels.inspector.sent, { id }), false);
  }

  refused(text: string, fix: string | null): void {
    this.#send.disabled = false;
    this.#tell([text, fix].filter(Boolean).join(" "), true);
  }

  #fill(): void {
    const template = this.#templates[this.#choice.selectedIndex];
    if (!template) return;
    this.#text.value = JSON.stringify(template, null, 2);
    this.#text.setSelectionRange(0, 0);
    this.#text.scrollTop = 0;
  }

  #tell(text: string, loud: boolean): void {
    setText(this.#said, text);
    setAttribute(this.#said, "data-loud", loud);
  }
}
