import { expect, it } from "vitest";
import { wav } from "../../src/recorder/playback.ts";

it("a WAV file has the header that players expect", () => {
  const bytes = new DataView(wav(Int16Array.of(1, -2)));
  const text = (at: number) => String.fromCharCode(...new Uint8Array(bytes.buffer, at, 4));
  expect([text(0), text(8), text(36)]).toEqual(["RIFF", "WAVE", "data"]);
  expect(bytes.getUint32(24, true)).toBe(24_000);
  expect(bytes.getUint32(40, true)).toBe(4);
  expect(bytes.byteLength).toBe(48);
  expect([bytes.getInt16(44, true), bytes.getInt16(46, true)]).toEqual([1, -2]);
});
