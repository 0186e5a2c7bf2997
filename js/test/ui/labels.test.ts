import { describe, expect, it } from "vitest";
import { fill, labelsOf, seconds } from "../../src/ui/labels.ts";

const LANGUAGE_FREE = [".step", ".vad"];

/** The placeholders of every text of a catalogue, by its place. */
function placeholders(value: unknown, path = ""): Record<string, string[]> {
  if (typeof value === "string") return { [path]: (value.match(/\{\w+\}/g) ?? []).sort() };
  return Object.assign(
    {},
    ...Object.entries(value as object).map(([k, v]) => placeholders(v, `${path}.${k}`)),
  );
}

/** The texts of a catalogue, by their place. */
function texts(value: unknown, path = ""): Record<string, string> {
  if (typeof value === "string") return { [path]: value };
  return Object.assign({}, ...Object.entries(value as object).map(([k, v]) => texts(v, `${path}.${k}`)));
}

describe("labels", () => {
  it("have no gap in either language: nothing empty, nothing left in the other one", () => {
    const [en, zh] = ["en", "zh"].map((tag) => texts(labelsOf([tag]).labels));
    expect(Object.keys(zh ?? {}).sort()).toEqual(Object.keys(en ?? {}).sort());
    const empty = Object.entries({ ...en, ...zh }).filter(([, text]) => !text.trim());
    expect(empty.map(([place]) => place)).toEqual([".toolStatus.completed"]);
    const chinese = (text: string) => /[\u4e00-\u9fff]/.test(text);
    expect(Object.entries(en ?? {}).filter(([, text]) => chinese(text))).toEqual([]);
    const left = Object.entries(zh ?? {}).filter(([, text]) => text.trim() && !chinese(text));
    // A name, and figures alone.
    expect(left.map(([place]) => place)).toEqual(LANGUAGE_FREE);
  });

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
