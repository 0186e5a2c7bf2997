import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Resampler } from "../../src/audio/resampler.ts";

const RATES = [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];

function tone(hz: number, rate: number, samples: number): Float32Array {
  return Float32Array.from({ length: samples }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));
}

function resample(input: Float32Array, from: number, to: number): Float32Array {
  const resampler = new Resampler(from, to);
  const output = new Float32Array(resampler.outputsFor(input.length) + 1);
  return output.slice(0, resampler.process(input, output));
}

/** Level of the strongest signal left, dB against a full-scale sine, without the filter's first and last samples. */
function level(samples: Float32Array): number {
  const middle = samples.subarray(Math.floor(samples.length / 4), Math.floor((samples.length * 3) / 4));
  const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length;
  return 10 * Math.log10(2 * power);
}

/** Frequency by projection on sine and cosine: power at `hz`, dB against a full-scale sine. */
function levelAt(samples: Float32Array, hz: number, rate: number): number {
  let [re, im, total] = [0, 0, 0];
  samples.forEach((sample, i) => {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / samples.length);
    re += sample * window * Math.cos((2 * Math.PI * hz * i) / rate);
    im += sample * window * Math.sin((2 * Math.PI * hz * i) / rate);
    total += window;
  });
  return 20 * Math.log10((2 * Math.hypot(re, im)) / total);
}

describe("Resampler", () => {
  describe.each(RATES)("from %i Hz to 24 kHz", (rate) => {
    const top = Math.min(rate, 24_000) * (11 / 24);

    it.each([100, 440, 1_000, 3_000, 7_000, 11_000].filter((hz) => hz <= top))(
      "passes %i Hz within 0.5 dB",
      (hz) => {
        const output = resample(tone(hz, rate, rate / 2), rate, 24_000);
        expect(Math.abs(level(output))).toBeLessThan(0.5);
        expect(Math.abs(levelAt(output, hz, 24_000))).toBeLessThan(0.5);
      },
    );

    it.each([13_000, 14_000, 15_900, 20_000, 23_000, 40_000].filter((hz) => rate > 24_000 && hz < rate / 2))(
      "keeps %i Hz at least 60 dB down",
      (hz) => {
        expect(level(resample(tone(hz, rate, rate / 2), rate, 24_000))).toBeLessThan(-60);
      },
    );

    it("counts exactly over a long run in blocks of 128", () => {
      const resampler = new Resampler(rate, 24_000);
      const block = new Float32Array(128);
      const output = new Float32Array(resampler.outputsFor(128) + 1);
      let count = 0;
      const blocks = Math.ceil((10 * rate) / 128);
      for (let i = 0; i < blocks; i++) count += resampler.process(block, output);
      expect(count).toBe(Math.ceil((blocks * 128 * 24_000) / rate));
    });
  });

  it.each([44_100, 48_000, 96_000])("keeps images of 24 kHz speech 60 dB down at %i Hz", (rate) => {
    const output = resample(tone(3_000, 24_000, 12_000), 24_000, rate);
    expect(Math.abs(levelAt(output, 3_000, rate))).toBeLessThan(0.5);
    expect(levelAt(output, 21_000, rate)).toBeLessThan(-60);
  });

  it("delays by what it says", () => {
    const resampler = new Resampler(48_000, 48_000 / 2);
    const impulse = new Float32Array(1_000);
    impulse[400] = 1;
    const output = new Float32Array(resampler.outputsFor(1_000));
    resampler.process(impulse, output);
    const peak = output.indexOf(Math.max(...output));
    expect(peak).toBe((400 + resampler.delay) / 2);
  });

  it("gives the same samples however the input is cut", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...RATES),
        fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.float({ min: -1, max: 1, noNaN: true })),
        (rate, cuts, noise) => {
          const length = cuts.reduce((sum, cut) => sum + cut, 0);
          const input = Float32Array.from({ length }, () => noise.next().value as number);
          const whole = resample(input, rate, 24_000);
          const resampler = new Resampler(rate, 24_000);
          const pieces: number[] = [];
          let start = 0;
          for (const cut of cuts) {
            const output = new Float32Array(resampler.outputsFor(cut) + 1);
            const count = resampler.process(input.subarray(start, start + cut), output);
            pieces.push(...output.subarray(0, count));
            start += cut;
          }
          expect(pieces).toEqual([...whole]);
          expect(whole.length).toBe(Math.ceil((length * 24_000) / rate));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("says how much input a number of outputs takes, and fills them exactly", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...RATES, 192_000),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 }),
        (rate, blocks) => {
          const resampler = new Resampler(24_000, rate);
          let taken = 0;
          let given = 0;
          for (const length of blocks) {
            const count = resampler.inputsFor(length);
            expect(resampler.process(new Float32Array(count), new Float32Array(length))).toBe(length);
            taken += count;
            given += length;
            expect(taken).toBe(Math.floor(((given - 1) * 24_000) / rate) + 1);
          }
        },
      ),
    );
  });
});
