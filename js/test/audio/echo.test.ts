import { describe, expect, it } from "vitest";
import { EchoDetector } from "../../src/audio/echo.ts";

/** A repeatable random number generator. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** Levels of something like speech: syllables of 80 to 300 ms and pauses. */
function speech(seed: number, frames: number): number[] {
  const next = random(seed);
  const levels: number[] = [];
  while (levels.length < frames) {
    const loud = next() < 0.7 ? 1_500 + 6_000 * next() : 20;
    const length = 4 + Math.floor(next() * 11);
    for (let i = 0; i < length; i++)
      levels.push(loud * Math.sin((Math.PI * (i + 1)) / (length + 1)) * (0.8 + 0.4 * next()));
  }
  return levels.slice(0, frames);
}

/** Runs both sides through a detector; returns how often it said that it hears itself. */
function run(played: number[], heard: number[], threshold = 1_000): number {
  const detector = new EchoDetector();
  let hits = 0;
  played.forEach((rms, i) => {
    detector.played(rms, 50_000 + i * 20);
    if (detector.heard(heard[i] as number, 50_000 + i * 20 + 7, threshold)) hits += 1;
  });
  return hits;
}

/** The same, `delay` frames later and at `gain`, in a room with noise. */
function echo(played: number[], delay: number, gain: number): number[] {
  const next = random(99);
  return played.map((_, i) => gain * (played[i - delay] ?? 0) + 60 * next());
}

describe("EchoDetector", () => {
  const played = speech(1, 500);

  it.each([0, 3, 8, 18])("hears itself with a delay of %i frames", (delay) => {
    expect(run(played, echo(played, delay, 0.5))).toBeGreaterThan(0);
  });

  it("hears itself in an answer that is cut off again and again", () => {
    const pieces = Array.from({ length: 12 }, (_, i) => [
      ...speech(i + 200, 25),
      ...Array.from({ length: 75 }, () => 0),
    ]).flat();
    expect(run(pieces, echo(pieces, 5, 0.5))).toBeGreaterThan(0);
  });

  it("does not take a person who cuts answers off for an echo", () => {
    let wrong = 0;
    for (let seed = 0; seed < 50; seed++) {
      const played: number[] = [];
      const heard: number[] = [];
      for (let turn = 0; turn < 20; turn++) {
        const silence = (frames: number) => Array.from({ length: frames }, () => 10);
        // The answer plays for 1 s, the person speaks for 1.5 s, and the answer falls silent 150 ms later.
        played.push(...speech(seed * 100 + turn, 58), ...silence(92));
        heard.push(...silence(50), ...speech(seed * 100 + turn + 50_000, 75), ...silence(25));
      }
      wrong += run(played, heard);
    }
    expect(wrong).toBe(0);
  });

  it("does not mind an echo that is too quiet to be taken for speech", () => {
    expect(run(played, echo(played, 3, 0.02))).toBe(0);
  });

  it("does not take silence, noise or a steady tone for an echo", () => {
    const next = random(5);
    expect(
      run(
        played,
        played.map(() => 0),
      ),
    ).toBe(0);
    expect(
      run(
        played,
        played.map(() => 3_000 * next()),
      ),
    ).toBe(0);
    expect(
      run(
        played,
        played.map(() => 3_000),
      ),
    ).toBe(0);
  });

  it("does not take a person who talks over it for an echo", () => {
    let wrong = 0;
    for (let seed = 10; seed < 60; seed++) wrong += run(speech(seed, 500), speech(seed + 1_000, 500));
    expect(wrong).toBe(0);
  });

  it("finds nothing when nothing is played", () => {
    const silence = played.map(() => 0);
    expect(run(silence, played)).toBe(0);
  });
});
