import { describe, expect, it } from "vitest";
import { Sleep } from "../src/sleep.ts";

describe("Sleep", () => {
  it("is noticed once, and a throttled timer is none", () => {
    const sleep = new Sleep(0);
    const times = [1_000, 61_000, 62_000, 152_001, 153_000];
    expect(times.map((time) => sleep.woke(time))).toEqual([false, false, false, true, false]);
  });

  it("does not mind a clock that is set back", () => {
    const sleep = new Sleep(500_000);
    expect([0, 1_000].map((time) => sleep.woke(time))).toEqual([false, false]);
  });

  it("is noticed by a page that had only just been shown", () => {
    expect(new Sleep(0).woke(3_600_000)).toBe(true);
  });
});
