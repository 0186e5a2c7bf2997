import { describe, expect, it } from "vitest";
import { isClipped, Take } from "../../src/recorder/take.ts";

const frame = (value = 1000) => ({ pcm: new Int16Array(480).fill(value), rms: Math.abs(value) });

function run(take: Take, frames: number, value?: number): void {
  for (let i = 0; i < frames; i++) take.push(frame(value));
}

describe("a take", () => {
  it("counts 3, 2, 1 and keeps nothing of that", () => {
    const take = new Take(10_000);
    take.begin();
    const seen = new Set<number>();
    while (take.phase === "counting") {
      seen.add(take.count);
      take.push(frame());
    }
    expect([...seen]).toEqual([3, 2, 1]);
    expect(take.ms).toBe(0);
    expect(take.phase).toBe("recording");
  });

  it("ends at its longest, to the frame", () => {
    const take = new Take(10_000);
    take.begin();
    run(take, 2000);
    expect(take.phase).toBe("done");
    expect(take.ms).toBe(10_000);
    expect(take.frames.length).toBe(500);
  });

  it("keeps what it has when it is stopped, and nothing when that is during the count", () => {
    const take = new Take(10_000);
    take.begin();
    run(take, 10);
    take.stop();
    expect(take.phase).toBe("idle");
    take.begin();
    run(take, 105 + 50);
    take.stop();
    expect(take.phase).toBe("done");
    expect(take.ms).toBe(1000);
    take.begin();
    expect(take.ms).toBe(0);
  });

  it("notices clipping as the kernel does: three in a row, on one side", () => {
    const take = new Take(10_000);
    take.begin();
    run(take, 105);
    run(take, 1, 32_767);
    expect(take.clipped).toBe(true);
    expect(isClipped(Int16Array.of(0, 32_767, 32_767, 0, 32_767))).toBe(false);
    expect(isClipped(Int16Array.of(32_767, -32_768, 32_767))).toBe(false);
    expect(isClipped(Int16Array.of(-32_768, -32_767, -32_768))).toBe(true);
  });
});
