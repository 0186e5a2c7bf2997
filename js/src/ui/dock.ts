import { h, icon, setAttribute, setText } from "./dom.ts";
import type { Labels } from "./labels.ts";
import { Press, type PressEvents } from "./press.ts";

export interface DockEvents extends PressEvents {
  mute(on: boolean): void;
  stop(): void;
  say(text: string): void;
}

export interface DockState {
  talking: "off" | "asking" | "toggle" | "hold";
  muted: boolean;
  /** The microphone is open, so that it can be muted. */
  live: boolean;
  /** There is an answer to stop. */
  answering: boolean;
  /** Nothing can be done: the session or its kernel is gone. */
  disabled: boolean;
}

const MICROPHONE =
  "M8 1.8a2.2 2.2 0 0 0-2.2 2.2v3.6a2.2 2.2 0 0 0 4.4 0V4A2.2 2.2 0 0 0 8 1.8zM3.6 7.4a4.4 4.4 0 0 0 8.8 0M8 11.8v2.4";

/** Talk, Mute, the text box and Stop. */
export class Dock {
  readonly element: HTMLElement;
  readonly #labels: Labels;
  readonly #press: Press;
  readonly #word = h("span");
  readonly #talk: HTMLButtonElement;
  readonly #mute: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #input: HTMLInputElement;
  readonly #send: HTMLButtonElement;

  constructor(labels: Labels, events: DockEvents, signal: AbortSignal) {
    this.#labels = labels;
    this.#press = new Press(events);
    this.#talk = h(
      "button",
      { type: "button", class: "sn-talk" },
      h("span", { class: "sn-rec" }),
      this.#word,
    );
    this.#mute = h("button", { type: "button", class: "sn-round sn-mute" }, icon(MICROPHONE));
    this.#mute.firstElementChild?.append(icon("M2.5 2.5l11 11").firstElementChild as SVGPathElement);
    this.#stop = h("button", { type: "button", class: "sn-stop", title: labels.stopTitle });
    this.#stop.append(h("span", { class: "sn-square" }), labels.stop);
    this.#input = h("input", {
      class: "sn-input",
      type: "text",
      maxlength: "20000",
      autocomplete: "off",
      "aria-label": labels.message,
      title: labels.messageTitle,
      placeholder: labels.placeholder,
    });
    this.#send = h("button", {
      type: "submit",
      class: "sn-ghost sn-send",
      "aria-label": labels.send,
      title: labels.send,
    });
    this.#send.append(icon("M2.5 8h10.5M8.8 3.8L13 8l-4.2 4.2"));
    const form = h("form", { class: "sn-say" }, this.#input, this.#send);
    this.element = h("div", { class: "sn-dock" }, this.#talk, this.#mute, form, this.#stop);

    const press = this.#press;
    this.#talk.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.#talk.setPointerCapture(event.pointerId);
      press.down();
    });
    this.#talk.addEventListener("pointerup", () => press.up());
    this.#talk.addEventListener("pointercancel", () => press.up());
    // A long touch would open the browser's menu.
    this.#talk.addEventListener("contextmenu", (event) => event.preventDefault());
    // The Enter key and assistive technology click without a pointer.
    this.#talk.addEventListener("click", (event) => {
      if (event.detail !== 0) return;
      press.down();
      press.up();
    });
    window.addEventListener("blur", () => press.up(), { signal });
    this.#mute.addEventListener("click", () => events.mute(this.#mute.ariaPressed !== "true"));
    this.#stop.addEventListener("click", () => events.stop());
    this.#input.addEventListener("input", () => this.#sendable());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#input.value.trim();
      if (!text) return;
      this.#input.value = "";
      this.#sendable();
      events.say(text);
    });
  }

  /** The space bar talks while it is held, wherever the focus is in `root` but on other controls. */
  listen(root: HTMLElement): void {
    const talks = ({ key, target }: KeyboardEvent) =>
      key === " " &&
      target instanceof Element &&
      (target === this.#talk || !target.closest("button, input, select, textarea, summary"));
    root.addEventListener("keydown", (event) => {
      if (!talks(event)) return;
      event.preventDefault();
      if (!event.repeat && !this.#talk.disabled) this.#press.down();
    });
    root.addEventListener("keyup", (event) => {
      if (!talks(event)) return;
      event.preventDefault();
      this.#press.up();
    });
    root.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && root.contains(event.relatedTarget))) this.#press.up();
    });
  }

  update({ talking, muted, live, answering, disabled }: DockState): void {
    const { talk, end, release, asking, talkTitle, endTitle, askingTitle, mute, unmute } = this.#labels;
    const on = talking !== "off";
    setText(this.#word, { off: talk, asking, toggle: end, hold: release }[talking]);
    this.#talk.title = { off: talkTitle, asking: askingTitle, toggle: endTitle, hold: endTitle }[talking];
    this.#talk.dataset.talking = talking;
    setAttribute(this.#talk, "aria-pressed", String(on));
    setAttribute(this.#mute, "aria-pressed", String(muted));
    setAttribute(this.#mute, "aria-label", muted ? unmute : mute);
    this.#mute.title = muted ? unmute : mute;
    this.#talk.disabled = disabled;
    this.#mute.disabled = !live;
    this.#stop.disabled = !answering || disabled;
    this.#input.disabled = disabled;
    this.#sendable();
  }

  #sendable(): void {
    this.#send.disabled = this.#input.disabled || !this.#input.value.trim();
  }
}
