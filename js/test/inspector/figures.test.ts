import { describe, expect, it } from "vitest";
import { bytes, rate } from "../../src/inspector/figures.ts";
import type { Row } from "../../src/inspector/wire.ts";
import { en } from "../../src/ui/labels/en.ts";

describe("figures", () => {
  it("say bytes as people read them", () => {
    expect([0, 999, 1_000, 9_949, 9_960, 83_546, 999_499, 999_500, 12_345_678].map(bytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "9.9 kB",
      "10 kB",
      "84 kB",
      "999 kB",
      "1.0 MB",
      "12 MB",
    ]);
  });

  it("say the rate of a run, where it has one", () => {
    const run = (count: number, seconds: number) => rate({ count, at: 2, last: 2 + seconds } as Row, en);
    expect(run(51, 2)).toBe("25/s");
    expect(run(4, 2)).toBe("1.5/s");
    expect(run(1, 0)).toBe("");
    expect(run(5, 0)).toBe("");
  });
});
