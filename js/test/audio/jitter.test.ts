import { describe, expect, it } from "vitest";
import { Player } from "../../src/audio/player.ts";

const MS = 24;
const PIECE_MS = 40;
const ITEM_MS = 10_000;

/** A repeatable random number generator. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** Ten minutes of answers that are made in real time and come up to `jitter` ms late, in order; the underruns by minute. */
function underruns(jitter: number, seed: number): number[] {
  const player = new Player();
  const next = random(seed);
  const minutes = Array(10).fill(0);
  const output = new Float32Array(512);
  let samples = 0;
  for (let item = 0; item < (10 * 60_000) / ITEM_MS; item++) {
    const begun = samples / MS;
    const arrivals = Array.from(
      { length: ITEM_MS / PIECE_MS },
      (_, i) => begun + i * PIECE_MS + jitter * next(),
    );
    // The road keeps the order: nothing comes before what was sent earlier.
    for (let i = 1; i < arrivals.length; i++)
      arrivals[i] = Math.max(arrivals[i] as number, arrivals[i - 1] as number);
    let come = 0;
    do {
      const before = player.underruns;
      while (come < arrivals.length && (arrivals[come] as number) <= samples / MS) {
        player.push(`item ${item}`, new Float32Array(PIECE_MS * MS));
        come += 1;
      }
      if (come === arrivals.length) player.end(`item ${item}`);
      player.render(output);
      samples += output.length;
      minutes[Math.min(9, Math.floor(samples / MS / 60_000))] += player.underruns - before;
    } while (come < arrivals.length || player.buffered > 0);
  }
  return minutes;
}

describe("Player, in ten minutes of speech in real time", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "runs dry once at 100 ms of jitter, adapts, and never again (%i)",
    (seed) => {
      expect(underruns(100, seed).reduce((sum, count) => sum + count)).toBe(1);
    },
  );

  it("never runs dry at 60 ms of jitter", () => {
    expect(underruns(60, 1)).toEqual(Array(10).fill(0));
  });
});
