import { describe, expect, it } from "vitest";
import { fill, labelsOf, seconds } from "../../src/ui/labels.ts";

/** The placeholders of every text of a catalogue, by its place. */
function placeholders(value: unknown, path = ""): Record<string, string[]> {
  if (typeof value === "string") return { [path]: (value.match(/\{\w+\}/g) ?? []).sort() };
  return Object.assign(
    {},
    ...Object.entries(value as object).map(([k, v]) => placeholders(v, `${path}.${k}`)),
  );
}

describe("labels", () => {
  it("follow the page's first known language", () => {
    expect(labelsOf(["zh-CN", "en"]).lang).toBe("zh");
    expect(labelsOf(["", "fr", "en-GB", "zh"]).lang).toBe("en");
    expect(labelsOf([]).lang).toBe("en");
  });

  it("have the same placeholders in both languages", () => {
    expect(placeholders(labelsOf(["zh"]).labels)).toEqual(placeholders(labelsOf(["en"]).labels));
  });

  it("are filled, and keep what is not known", () => {
    expect(fill("cut off at {s} s {x}", { s: seconds(4_100) })).toBe("cut off at 4.1 s {x}");
  });
});
