import { describe, expect, it } from "vitest";
import { Framer } from "../../src/audio/framer.ts";

function frames(deviceRate: number, signal: (t: number) => number, seconds = 1) {
  const framer = new Framer(deviceRate);
  const result = [];
  for (let start = 0; start < deviceRate * seconds; start += 128) {
    result.push(
      ...framer.push(Float32Array.from({ length: 128 }, (_, i) => signal((start + i) / deviceRate))),
    );
  }
  return result;
}

describe("Framer", () => {
  it.each([16_000, 44_100, 48_000])("gives 50 frames of 480 samples a second at %i Hz", (rate) => {
    const all = frames(rate, () => 0, 4);
    expect(all).toHaveLength(200);
    expect(all.every(({ pcm }) => pcm.length === 480)).toBe(true);
  });

  it("measures RMS in int16 units", () => {
    const all = frames(48_000, (t) => 0.25 * Math.sin(2 * Math.PI * 500 * t));
    expect(all[10]?.rms).toBeCloseTo((0.25 * 32768) / Math.SQRT2, -1);
  });

  it("saturates instead of wrapping around", () => {
    const all = frames(24_000, (t) => 3 * Math.sin(2 * Math.PI * 100 * t));
    const samples = all.flatMap(({ pcm }) => [...pcm]);
    expect(Math.max(...samples)).toBe(32767);
    expect(Math.min(...samples)).toBe(-32768);
    // A wrapped sample would jump by nearly the whole range; the steepest step of the sine is 2574.
    const steps = samples.slice(1).map((sample, i) => Math.abs(sample - (samples[i] as number)));
    expect(Math.max(...steps)).toBeLessThan(3000);
  });

  it("keeps every sample when the device has the wire's rate", () => {
    const ramp = Float32Array.from({ length: 960 }, (_, i) => (i - 480) / 32768);
    const all = new Framer(24_000).push(ramp);
    expect(all.flatMap(({ pcm }) => [...pcm])).toEqual([...ramp].map((sample) => sample * 32768));
  });
});
