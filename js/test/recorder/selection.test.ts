import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LEAST_MS, Selection } from "../../src/recorder/selection.ts";

describe("a selection", () => {
  it("begins with as much as is allowed", () => {
    expect(new Selection(8_000, 10_000).length).toBe(8_000);
    expect(new Selection(60_000, 10_000).end).toBe(10_000);
  });

  it("takes the other handle along when it would get too long", () => {
    const selection = new Selection(60_000, 10_000);
    selection.moveEnd(30_000);
    expect([selection.start, selection.end]).toEqual([20_000, 30_000]);
    selection.moveStart(5_000);
    expect([selection.start, selection.end]).toEqual([5_000, 15_000]);
  });

  it("stays within the recording and its limits, whatever is dragged", () => {
    const move = fc.tuple(fc.boolean(), fc.integer({ min: -5_000, max: 70_000 }));
    fc.assert(
      fc.property(fc.integer({ min: 600, max: 60_000 }), fc.array(move), (total, moves) => {
        const selection = new Selection(total, 10_000);
        for (const [start, to] of moves) {
          if (start) selection.moveStart(to);
          else selection.moveEnd(to);
          expect(selection.start).toBeGreaterThanOrEqual(0);
          expect(selection.end).toBeLessThanOrEqual(total);
          expect(selection.length).toBeGreaterThanOrEqual(LEAST_MS);
          expect(selection.length).toBeLessThanOrEqual(10_000);
        }
      }),
    );
  });
});
