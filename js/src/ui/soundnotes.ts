import type { Labels } from "./labels.ts";
import type { Notes } from "./notes.ts";

/** What the person should know of microphone and loudspeaker. */
export class SoundNotes {
  readonly #notes: Notes;
  readonly #labels: Labels;

  constructor(notes: Notes, labels: Labels) {
    this.#notes = notes;
    this.#labels = labels;
  }

  /** The microphone was closed, and not by the person: another panel took it, or the computer slept. */
  closed(why: "otherView" | "slept"): void {
    this.#notes.set("owner", { level: "info", text: this.#labels[why] });
  }

  opening(): void {
    this.#notes.clear("owner");
  }

  /** The microphone hears the loudspeaker; `useGate` does something about it. */
  echo(useGate: () => void): void {
    const { hearsItself: text, hearsItselfFix: fix, useGate: label } = this.#labels;
    this.#notes.set("echo", { level: "warning", text, fix, actions: [{ label, run: useGate }] });
  }

  gated(): void {
    this.#notes.clear("echo");
  }

  /** Whether the chosen loudspeaker could be had. */
  output(had: boolean): void {
    if (had) this.#notes.clear("output");
    else this.#notes.set("output", { level: "warning", text: this.#labels.outputFailed });
  }

  /** The browser holds the sound back until `play` runs in a click; null: it does not. */
  blocked(play: (() => void) | null): void {
    const { soundBlocked: text, playSound: label } = this.#labels;
    if (play) this.#notes.set("sound", { level: "warning", text, actions: [{ label, run: play }] });
    else this.#notes.clear("sound");
  }
}
