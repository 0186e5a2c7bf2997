import type { Row } from "../envelope.ts";

/** Characters of a row that were heard: as the kernel last knew, or further, where the playhead has come since. Pure. */
export class Heard {
  readonly #playheads = new Map<string, number>();

  /** The playhead of an item, ms. Items are played one after the other, so that few are of interest. */
  move(item: string, ms: number): void {
    this.#playheads.delete(item);
    this.#playheads.set(item, ms);
    for (const oldest of this.#playheads.keys()) {
      if (this.#playheads.size <= 8) break;
      this.#playheads.delete(oldest);
    }
  }

  /** null: not known, as of what was never spoken. */
  of({ who, heard, spoken, state }: Row): number | null {
    // Of an answer that was cut off the kernel has the last word.
    if (who === "you" || state === "interrupted" || state === "failed") return heard;
    let chars = heard;
    for (const { item, words } of spoken) {
      const playhead = this.#playheads.get(item) ?? 0;
      const said = words.findLast(([, ms]) => ms <= playhead);
      chars = Math.max(chars ?? 0, said?.[0] ?? 0);
    }
    // What has just been written is about to be spoken.
    return chars ?? (state === "live" ? 0 : null);
  }
}
