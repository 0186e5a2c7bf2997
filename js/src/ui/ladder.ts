import { Chooser } from "./chooser.ts";
import type { Labels, MicTrouble } from "./labels.ts";
import type { Notes } from "./notes.ts";

export interface LadderEvents {
  /** Speaks an audio file into the session: its name, and its content as base64. */
  file(name: string, data: string): void;
  error(error: unknown): void;
}

/** The ways to be heard where the page has no microphone, each a button beside the sentence that says why. */
export class Ladder {
  readonly #notes: Notes;
  readonly #labels: Labels;
  readonly #chooser: Chooser;

  constructor(labels: Labels, notes: Notes, { file, error }: LadderEvents) {
    this.#notes = notes;
    this.#labels = labels;
    const [text, fix] = labels.ladder.large;
    this.#chooser = new Chooser({
      file: (name, data) => {
        notes.clear("file");
        file(name, data);
      },
      tooLarge: () => notes.set("file", { level: "warning", text, fix }),
      error,
    });
  }

  /** To be put somewhere into the page. */
  get element(): HTMLElement {
    return this.#chooser.element;
  }

  chooseFile(): void {
    this.#chooser.open();
  }

  /** Says what is the matter with the microphone; null: nothing. */
  show(trouble: MicTrouble | null): void {
    if (trouble === null) {
      this.#notes.clear("mic");
      return;
    }
    const { mic, ladder } = this.#labels;
    const [text, fix] = mic[trouble];
    const actions = [{ label: ladder.file, title: ladder.fileTitle, run: () => this.chooseFile() }];
    this.#notes.set("mic", { level: "warning", text, fix, actions });
  }
}
