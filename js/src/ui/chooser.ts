import { h } from "./dom.ts";

/** Bytes of a file that go through a notebook's connection. */
const LARGEST_FILE = 7_000_000;

export interface ChooserEvents {
  /** An audio file was chosen: its name, and its content as base64. */
  file(name: string, data: string): void;
  tooLarge(): void;
  error(error: unknown): void;
}

/** Lets the person choose an audio file. `element` is never seen; the browser's own dialog is. */
export class Chooser {
  readonly element = h("input", { type: "file", accept: "audio/*,.wav,.flac,.ogg,.mp3", hidden: true });

  constructor(events: ChooserEvents) {
    this.element.addEventListener("change", () => {
      const [file] = this.element.files ?? [];
      if (!file) return;
      if (file.size > LARGEST_FILE) events.tooLarge();
      else base64Of(file).then((data) => events.file(file.name, data), events.error);
      // So that the same one can be chosen again.
      this.element.value = "";
    });
  }

  open(): void {
    this.element.click();
  }
}

async function base64Of(file: File): Promise<string> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("The file could not be read."));
    reader.readAsDataURL(file);
  });
  return url.slice(url.indexOf(",") + 1);
}
