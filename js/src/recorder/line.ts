import { fill, type Labels, seconds } from "../ui/labels.ts";
import type { Selection } from "./selection.ts";
import type { Take } from "./take.ts";

/** The sentence under the recording. `take`: the one in the making; `window`: how long it should be, ms. */
export function lineOf(
  labels: Labels,
  [least, most]: [number, number],
  take: Take | null,
  selection: Selection | null,
): string {
  const words = labels.recorder;
  if (take?.phase === "counting") return words.countIn;
  if (take?.phase === "recording") {
    const loud = take.clipped ? ` ${words.tooLoud}` : "";
    if (take.ms < least) return fill(words.toGo, { s: seconds(least - take.ms) }) + loud;
    return fill(words.enough, { s: seconds(take.ms), most: seconds(most, 0) }) + loud;
  }
  if (take) return labels.asking;
  if (!selection) return fill(words.window, { least: seconds(least, 0), most: seconds(most, 0) });
  const short = selection.length < least ? ` ${fill(words.tooShort, { s: seconds(least, 0) })}` : "";
  return fill(words.selected, { s: seconds(selection.length), total: seconds(selection.total) }) + short;
}
