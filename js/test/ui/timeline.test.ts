import { beforeEach, describe, expect, it } from "vitest";
import { Timeline } from "../../src/ui/timeline.ts";

let timeline: Timeline;

beforeEach(() => {
  timeline = new Timeline();
});

const speech = (ms: number) => new Int16Array(24 * ms).fill(1000);

describe("Timeline", () => {
  it("keeps the last 20 seconds", () => {
    for (let t = 0; t < 30_000; t += 20) timeline.heardYou(1, t);
    expect(timeline.you[0]?.t).toBeGreaterThanOrEqual(9_980);
    expect(timeline.you).toHaveLength(1_001);
  });

  it("stands still while nothing sounds, and marks it", () => {
    timeline.heardYou(1, 1_000);
    const rest = timeline.clock(50_000);
    expect(timeline.moving(50_000)).toBe(false);
    expect(timeline.clock(90_000)).toBe(rest);
    timeline.heardYou(1, 90_000);
    expect(timeline.clock(90_000)).toBe(rest);
    expect(timeline.clock(90_100)).toBe(rest + 100);
    expect(timeline.pauses).toEqual([rest]);
  });

  it("shows waiting speech at the times at which it will be heard", () => {
    timeline.heardStep(500, 0, 0);
    timeline.queue("a", speech(100));
    timeline.queue("b", speech(40));
    expect(timeline.ahead(0, 1_000).map(({ t }) => t)).toEqual([0, 20, 40, 60, 80, 100, 120]);
    timeline.progress("a", 24 * 60, false);
    expect(timeline.ahead(0, 1_000)).toHaveLength(4);
    expect(timeline.ahead(0, 40)).toEqual([
      { t: 0, rms: 1000 },
      { t: 20, rms: 1000 },
    ]);
  });

  it("has one bar for 20 ms, however the messages were cut, and none left at the end", () => {
    const samples = speech(1_000);
    for (let i = 0; i < samples.length; i += 3_200) timeline.queue("a", samples.subarray(i, i + 3_200));
    expect(timeline.ahead(0, 5_000)).toHaveLength(50);
    timeline.progress("a", 24_000 + 7, true);
    expect(timeline.ahead(0, 5_000)).toEqual([]);
  });

  it("keeps what was cut off as unheard", () => {
    timeline.queue("a", speech(200));
    timeline.heardStep(500, 0, 0);
    timeline.progress("a", 24 * 100, false);
    const dropped = timeline.drop(90);
    timeline.progress("a", 24 * 112, true);
    timeline.cut(100, dropped, 95);
    expect(timeline.cuts).toEqual([100]);
    expect(timeline.unheard).toHaveLength(5);
    expect(timeline.ahead(100, 1_000)).toEqual([]);
  });
});
