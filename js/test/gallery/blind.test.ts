import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { letter, shuffled } from "../../src/gallery/blind.ts";

describe("blind", () => {
  it("shuffles every variant to one place, the same for a seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.nat(), (n, seed) => {
        const order = shuffled(n, seed);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(shuffled(n, seed)).toEqual(order);
      }),
    );
  });

  it("has every variant in every place about equally often", () => {
    const counts: [number, number, number] = [0, 0, 0];
    for (let seed = 0; seed < 3000; seed++) counts[shuffled(3, seed).indexOf(0) as 0] += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it("names the places", () => {
    expect([0, 25, 26, 51, 52].map(letter)).toEqual(["A", "Z", "AA", "AZ", "BA"]);
  });
});
