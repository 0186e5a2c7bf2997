import { inVsCode } from "../audio/obstacle.ts";
import type { OwnerPlace } from "../envelope.ts";
import { Chooser } from "./chooser.ts";
import type { Labels, MicTrouble } from "./labels.ts";
import type { Action, Notes } from "./notes.ts";

/** Where the sound is that no page of the notebook has. */
export type Elsewhere = Exclude<OwnerPlace, "page">;

export interface LadderEvents {
  /** Speaks an audio file into the session: its name, and its content as base64. */
  file(name: string, data: string): void;
  /** Starts the sound there, or ends it. */
  elsewhere(place: Elsewhere, on: boolean): void;
  error(error: unknown): void;
}

/** Whether a page with this address may be on the kernel's machine: by a loopback address, or in VS Code's own window. */
export function mayBeLocal(place: { protocol: string; hostname: string }): boolean {
  if (place.protocol === "vscode-webview:" && inVsCode(place)) return true;
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(place.hostname);
}

/** The ways to be heard where the page has no microphone, each a button beside the sentence that says why. */
export class Ladder {
  /** What the kernel offers. */
  offered: readonly string[] = [];
  readonly #notes: Notes;
  readonly #labels: Labels;
  readonly #events: LadderEvents;
  readonly #chooser: Chooser;
  readonly #local = mayBeLocal(window.location);

  constructor(labels: Labels, notes: Notes, events: LadderEvents) {
    this.#notes = notes;
    this.#labels = labels;
    this.#events = events;
    const [text, fix] = labels.ladder.large;
    this.#chooser = new Chooser({
      file: (name, data) => {
        notes.clear("file");
        events.file(name, data);
      },
      tooLarge: () => notes.set("file", { level: "warning", text, fix }),
      error: events.error,
    });
  }

  /** To be put somewhere into the page. */
  get element(): HTMLElement {
    return this.#chooser.element;
  }

  chooseFile(): void {
    this.#chooser.open();
  }

  /** Says what is the matter with the microphone, or where it is instead; null: nothing, nowhere else. */
  show(trouble: MicTrouble | null, elsewhere: Elsewhere | null): void {
    const { mic, ladder } = this.#labels;
    if (elsewhere) {
      const [text, fix] = ladder.elsewhere[elsewhere];
      const run = () => this.#events.elsewhere(elsewhere, false);
      const actions = [{ label: ladder.close[elsewhere], run }];
      this.#notes.clear("companion");
      this.#notes.set("mic", { level: "info", text, fix, actions });
    } else if (trouble) {
      const [text, fix] = mic[trouble];
      this.#notes.set("mic", { level: "warning", text, fix, actions: this.#rungs() });
    } else {
      this.#notes.clear("mic");
    }
  }

  /** The companion tab can be opened. */
  open(url: string): void {
    if (!url.startsWith("http://127.0.0.1:")) throw new Error("The companion tab has a strange address.");
    const { ready, readyFix, openTab } = this.#labels.ladder;
    // The browser may keep it from opening, and does not say so; VS Code opens nothing but links.
    window.open(url, "_blank", "noopener,noreferrer");
    const actions = [{ label: openTab, run: url }];
    this.#notes.set("companion", { level: "info", text: ready, fix: readyFix, actions });
  }

  #rungs(): Action[] {
    const { use, useTitle, file, fileTitle } = this.#labels.ladder;
    const found = (["companion", "device"] as const).filter((place) => this.offered.includes(place));
    const actions: Action[] = (this.#local ? found : []).map((place) => ({
      label: use[place],
      title: useTitle[place],
      run: () => this.#events.elsewhere(place, true),
    }));
    return [...actions, { label: file, title: fileTitle, run: () => this.chooseFile() }];
  }
}
