import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Player, type PlayerEvent } from "../../src/audio/player.ts";

const MS = 24;
const START = 90 * MS;
const FADE = 12 * MS;

let player: Player;
let events: PlayerEvent[];

beforeEach(() => {
  player = new Player();
  events = [];
});

const ones = (samples: number) => new Float32Array(samples).fill(1);

/** Renders `samples` in blocks as a worklet does; returns them and gathers events. */
function render(samples: number, block = 64): number[] {
  const all: number[] = [];
  while (all.length < samples) {
    const output = new Float32Array(Math.min(block, samples - all.length));
    player.render(output);
    events.push(...player.takeEvents());
    all.push(...output);
  }
  return all;
}

const done = (item: string) => events.find((event) => event.k === "done" && event.item === item);

describe("Player", () => {
  it("starts when 90 ms are there, not before", () => {
    player.push("a", ones(START - 1));
    expect(render(1_000).every((sample) => sample === 0)).toBe(true);
    player.push("a", ones(1));
    render(64);
    expect(events).toEqual([{ k: "first", item: "a" }]);
    expect(player.playing).toBe(true);
  });

  it("starts a short item as soon as it is complete", () => {
    player.push("a", ones(100));
    player.end("a");
    render(200);
    expect(events).toEqual([
      { k: "first", item: "a" },
      { k: "done", item: "a", samples: 100 },
    ]);
  });

  it("renders exactly what it was given, in any pieces and in any blocks", () => {
    const item = fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 8 });
    const items = fc.array(item, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        items,
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 0, max: 3_000 }),
        (all, block, gap) => {
          player = new Player();
          events = [];
          let heard = 0;
          all.forEach((chunks, i) => {
            for (const chunk of chunks) {
              player.push(`item ${i}`, ones(chunk));
              heard += render(gap, block).filter((sample) => sample !== 0).length;
            }
            player.end(`item ${i}`);
          });
          heard += render(200_000, 4_096).filter((sample) => sample !== 0).length;
          let rests = 0;
          all.forEach((chunks, i) => {
            const sent = chunks.reduce((sum, chunk) => sum + chunk, 0);
            if (sent) expect(done(`item ${i}`)).toEqual({ k: "done", item: `item ${i}`, samples: sent });
            rests += sent;
          });
          // Each fade to silence ends in one sample of gain 0.
          expect(rests - heard).toBeGreaterThanOrEqual(0);
          expect(rests - heard).toBeLessThanOrEqual(all.length + player.underruns + all.flat().length);
          expect(player.buffered).toBe(0);
          expect(player.late).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("keeps a burst of five minutes whole", () => {
    const seconds = 310;
    for (let i = 0; i < seconds * 10; i++) player.push("a", ones(2_400));
    player.end("a");
    render(seconds * 24_000 + 100, 8_192);
    expect(done("a")).toEqual({ k: "done", item: "a", samples: seconds * 24_000 });
  });

  it("fades in and out over 12 ms at the edges of an item", () => {
    player.push("a", ones(4_800));
    player.end("a");
    const out = render(5_000);
    expect(out[0]).toBeCloseTo(1 / FADE);
    expect(out[FADE / 2 - 1]).toBeCloseTo(0.5);
    expect(out[FADE]).toBe(1);
    expect(out[4_800 - FADE / 2 - 1]).toBeCloseTo(0.5);
    expect(out[4_799]).toBe(0);
    const steps = out.slice(1).map((sample, i) => Math.abs(sample - (out[i] as number)));
    expect(Math.max(...steps)).toBeLessThanOrEqual(1.001 / FADE);
  });

  it("plays items in the order in which they came", () => {
    player.push("a", ones(3_000));
    player.push("b", ones(3_000));
    player.end("b");
    render(7_000);
    expect(events.map((event) => `${event.k} ${event.item}`)).toEqual([
      "first a",
      "done a",
      "first b",
      "done b",
    ]);
  });

  it("starts nothing while it is held, and keeps all of it", () => {
    player.held = true;
    player.push("a", ones(3_000));
    player.end("a");
    expect(render(1_000).every((sample) => sample === 0)).toBe(true);
    player.held = false;
    render(64);
    player.held = true;
    render(4_000);
    expect(done("a")).toMatchObject({ samples: 3_000 });
  });

  it("drops what is held on a flush", () => {
    player.held = true;
    player.push("a", ones(3_000));
    player.flush(1);
    expect(player.takeEvents()).toMatchObject([{ k: "flushed", item: "a", heard: 0, unplayed: 3_000 }]);
    expect(player.buffered).toBe(0);
  });

  describe("when it runs dry", () => {
    const setUp = () => {
      player = new Player();
      events = [];
      player.push("a", ones(START));
      render(START + 500);
    };
    beforeEach(setUp);

    it("counts an underrun only when more of the item comes", () => {
      expect(player.playing).toBe(false);
      expect(player.underruns).toBe(0);
      player.push("a", ones(10));
      expect(player.underruns).toBe(1);
    });

    it("counts none when the item was over", () => {
      player.end("a");
      render(64);
      expect(player.underruns).toBe(0);
      expect(done("a")).toEqual({ k: "done", item: "a", samples: START });
    });

    /** What the next item needs to start, ms. */
    const need = (): number => {
      const item = `probe ${probes++}`;
      for (let ms = 1; ms < 1_000; ms++) {
        player.push(item, ones(MS));
        render(1);
        if (!player.playing) continue;
        player.end(item);
        render(1_000 * MS);
        return ms;
      }
      throw new Error("it does not start");
    };
    let probes = 0;
    /** Plays a minute that comes in pieces of 20 ms, so many ms late from its second half on. */
    const playMinute = (item: string, late: number) => {
      player.push(item, ones(200 * MS));
      for (let ms = 0; ms < 60_000; ms += 20) {
        if (ms === 30_000) render(late * MS);
        else render(20 * MS);
        player.push(item, ones(ms === 30_000 ? (late + 20) * MS : 20 * MS));
      }
      player.end(item);
      render(400 * MS);
    };
    /** The item of `setUp` goes on after 30 ms of silence, with one piece of 20 ms; then it is over. */
    const underrun = () => {
      render(30 * MS - 500);
      player.push("a", ones(20 * MS));
      player.end("a");
      render(1_000);
    };

    it("waits for as much as the item would have taken", () => {
      player = new Player();
      player.push("a", ones(20 * MS));
      // The next piece is 100 ms late, the others come at once; then there is nothing for a while.
      render(120 * MS);
      player.push("a", ones(80 * MS));
      render(200 * MS);
      player.push("a", ones(30 * MS));
      player.end("a");
      render(100 * MS);
      expect(player.underruns).toBe(1);
      // It was 220 ms late in the end, which is more than anything is worth.
      expect(need()).toBe(170);
    });

    it("waits for a whole piece more when hardly anything was missing", () => {
      player = new Player();
      player.push("a", ones(START));
      render(START + 1);
      player.push("a", ones(60 * MS));
      player.end("a");
      render(61 * MS);
      expect(need()).toBe(150);
    });

    it("never waits for more than 170 ms", () => {
      for (let i = 0; i < 5; i++) {
        player.push("a", ones(300 * MS));
        render(400 * MS);
      }
      expect(player.underruns).toBe(5);
      player.end("a");
      render(64);
      expect(need()).toBe(170);
    });

    it("waits for less again after a minute that would have taken less", () => {
      underrun();
      const before = need();
      playMinute("b", 20);
      const after = need();
      expect(after).toBeLessThan(before);
      expect(after).toBeGreaterThanOrEqual(90);
    });

    it("keeps what was needed", () => {
      underrun();
      playMinute("b", 220);
      expect(player.underruns).toBe(2);
      const before = need();
      playMinute("c", 220);
      playMinute("d", 220);
      expect(player.underruns).toBeLessThanOrEqual(4);
      expect(need()).toBeGreaterThanOrEqual(before);
    });

    it("has faded out before the gap", () => {
      player = new Player();
      player.push("a", ones(START));
      const out = render(START + 10);
      expect(out[START - 1]).toBe(0);
      expect(out[START - 2]).toBeCloseTo(1 / FADE);
    });
  });

  describe("flush", () => {
    it("fades for 12 ms, drops the rest and says what was heard", () => {
      player.push("a", ones(48_000));
      render(24_000);
      player.flush(7);
      const out = render(1_000);
      expect(out.indexOf(0)).toBe(FADE - 1);
      expect(out.slice(FADE).every((sample) => sample === 0)).toBe(true);
      expect(events).toContainEqual({
        k: "flushed",
        id: 7,
        item: "a",
        heard: 24_000 + FADE,
        unplayed: 24_000 - FADE,
      });
      expect(done("a")).toEqual({ k: "done", item: "a", samples: 24_000 + FADE });
    });

    it("takes a fade of another length", () => {
      player.push("a", ones(48_000));
      render(24_000);
      player.flush(1, 50);
      expect(render(3_000).indexOf(0)).toBe(50 * MS - 1);
    });

    it("drops items that wait", () => {
      player.push("a", ones(START));
      player.push("b", ones(1_000));
      render(64);
      player.flush(1);
      render(1_000);
      const flushed = events.find((event) => event.k === "flushed");
      expect(flushed).toMatchObject({ item: "a", heard: 64 + 64, unplayed: START + 1_000 - 128 });
      expect(events.some((event) => event.k === "first" && event.item === "b")).toBe(false);
    });

    it("answers at once when nothing was queued, and when nothing had started", () => {
      player.flush(1);
      expect(player.takeEvents()).toEqual([{ k: "flushed", id: 1, item: null, heard: 0, unplayed: 0 }]);
      player.push("a", ones(100));
      player.flush(2);
      expect(player.takeEvents()).toEqual([{ k: "flushed", id: 2, item: "a", heard: 0, unplayed: 100 }]);
    });

    it("drops late audio of a flushed item, and plays the next item", () => {
      player.push("a", ones(START));
      render(64);
      player.flush(1);
      player.push("a", ones(5_000));
      player.push("b", ones(START));
      player.end("b");
      render(10_000);
      expect(player.late).toBe(5_000);
      expect(done("b")).toMatchObject({ samples: START });
    });

    it("answers a second flush during the first one's fade", () => {
      player.push("a", ones(48_000));
      render(1_000);
      player.flush(1);
      render(64);
      player.flush(2);
      render(1_000);
      expect(events.filter((event) => event.k === "flushed")).toMatchObject([
        { id: 1, item: "a", heard: 1_000 + FADE },
        { id: 2, item: null, heard: 0, unplayed: 0 },
      ]);
    });
  });
});
