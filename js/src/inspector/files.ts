import { freshId } from "../controls/parts.ts";
import { h, setAttribute, setText } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";

export interface FileEvents {
  save(name: string): void;
  /** null: what was shown first. */
  load(name: string | null): void;
}

/** Saving what is shown, and showing another recording. The files are the kernel's, beside the notebook. */
export class Files {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #names = h("datalist", { id: freshId() });
  readonly #saveName: HTMLInputElement;
  readonly #back: HTMLButtonElement;
  readonly #said = h("span", { class: "sn-line", role: "status" });

  constructor(labels: Labels, id: string, events: FileEvents) {
    this.#labels = labels;
    const { inspector } = labels;
    const { save, saveTitle, saveName: newName, load, loadTitle, loadName: oldName } = inspector;
    const [saving, saveName] = this.#form([save, saveTitle, newName], (name) => events.save(name));
    const [loading, loadName] = this.#form([load, loadTitle, oldName], (name) => events.load(name));
    this.#saveName = saveName;
    saveName.value = suggestion(new Date());
    loadName.setAttribute("list", this.#names.id);
    this.#back = h(
      "button",
      { type: "button", class: "sn-link", title: inspector.backTitle, hidden: true },
      inspector.back,
    );
    this.#back.addEventListener("click", () => events.load(null));
    this.element = h(
      "div",
      { class: "sn-files", id, hidden: true },
      saving,
      loading,
      this.#back,
      this.#said,
      this.#names,
    );
  }

  files(names: string[]): void {
    this.#names.replaceChildren(...names.map((value) => h("option", { value })));
  }

  atHome(home: boolean): void {
    setAttribute(this.#back, "hidden", home);
    this.#tell("", false);
  }

  saved(name: string): void {
    this.#saveName.value = suggestion(new Date());
    this.#tell(fill(this.#labels.inspector.saved, { name }), false);
  }

  refused(text: string, fix: string | null): void {
    this.#tell([text, fix].filter(Boolean).join(" "), true);
  }

  #form(
    [act, title, label]: [string, string, string],
    run: (name: string) => void,
  ): [HTMLFormElement, HTMLInputElement] {
    const input = h("input", {
      type: "text",
      class: "sn-field",
      "aria-label": label,
      placeholder: label,
      title: label,
      autocomplete: "off",
      spellcheck: "false",
      maxlength: "200",
    });
    const form = h("form", {}, input, h("button", { type: "submit", class: "sn-button", title }, act));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#tell("", false);
      if (input.value.trim()) run(input.value.trim());
    });
    return [form, input];
  }

  #tell(text: string, loud: boolean): void {
    setText(this.#said, text);
    setAttribute(this.#said, "data-loud", loud);
  }
}

/** session-20261125-193000.stepnb, by this computer's clock. */
function suggestion(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `session-${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}.stepnb`;
}
