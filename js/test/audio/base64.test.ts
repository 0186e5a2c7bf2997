import fc from "fast-check";
import { expect, it } from "vitest";
import { decodePcm, encodePcm } from "../../src/audio/base64.ts";

it("round-trips samples in one text, whatever the pieces", () => {
  fc.assert(
    fc.property(fc.array(fc.int16Array({ maxLength: 600 }), { maxLength: 4 }), (pieces) => {
      expect([...decodePcm(encodePcm(pieces))]).toEqual(pieces.flatMap((piece) => [...piece]));
    }),
  );
});

it("is little-endian", () => {
  expect(encodePcm([Int16Array.of(1, -2)])).toBe(Buffer.from([1, 0, 254, 255]).toString("base64"));
});

it("drops half a sample and refuses what is not base64", () => {
  expect([...decodePcm(Buffer.from([5, 0, 9]).toString("base64"))]).toEqual([5]);
  expect(() => decodePcm("§")).toThrow("not base64");
});
