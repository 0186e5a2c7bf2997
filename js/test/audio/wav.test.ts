import { expect, it } from "vitest";
import { wavOf } from "../../src/audio/wav.ts";

it("a WAV file has its header, its size and the samples as they are", async () => {
  const blob = wavOf([new Int16Array([1, -2]), new Int16Array([3])]);
  const bytes = new DataView(await blob.arrayBuffer());
  const word = (at: number) => String.fromCharCode(...[0, 1, 2, 3].map((i) => bytes.getUint8(at + i)));
  expect([word(0), word(8), word(12), word(36)]).toEqual(["RIFF", "WAVE", "fmt ", "data"]);
  expect([bytes.byteLength, bytes.getUint32(4, true), bytes.getUint32(40, true)]).toEqual([50, 42, 6]);
  expect([bytes.getUint32(24, true), bytes.getUint16(22, true), bytes.getUint16(34, true)]).toEqual([
    24_000, 1, 16,
  ]);
  expect([44, 46, 48].map((at) => bytes.getInt16(at, true))).toEqual([1, -2, 3]);
});
