import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Frame } from "../../src/audio/framer.ts";
import { type Batch, Uplink } from "../../src/audio/uplink.ts";

const frame = (): Frame => ({ pcm: new Int16Array(480), rms: 0 });

/** Pushes frames one by one and gives the messages that were due. */
function push(uplink: Uplink, frames: number): { n: number; count: number }[] {
  const sent: Batch[] = [];
  for (let i = 0; i < frames; i++) {
    uplink.push(frame());
    for (let batch = uplink.take(); batch; batch = uplink.take()) sent.push(batch);
  }
  return sent.map((batch) => ({ n: batch.n, count: batch.frames.length }));
}

describe("Uplink", () => {
  it("sends two frames a message", () => {
    expect(push(new Uplink(), 5)).toEqual([
      { n: 0, count: 2 },
      { n: 2, count: 2 },
    ]);
  });

  it("sends 100 ms a message when more than 300 ms are unacknowledged, and 200 ms from 1 s on", () => {
    const uplink = new Uplink();
    const sent = push(uplink, 100);
    const sizes = sent.map(({ count }) => count);
    expect(sizes.slice(0, 8)).toEqual(Array(8).fill(2));
    expect(sizes.slice(8)).toEqual([5, 5, 5, 5, 5, 5, 5, 10, 10, 10, 10].slice(0, sizes.length - 8));
    uplink.ack(99);
    // What had gathered meanwhile goes first.
    expect(push(uplink, 2).every(({ count }) => count <= 10)).toBe(true);
    expect(push(uplink, 4).map(({ count }) => count)).toEqual([2, 2]);
  });

  it("holds at 2 s, keeps 5 s more, then drops the oldest and counts them", () => {
    const uplink = new Uplink();
    const first = push(uplink, 110);
    const last = first.at(-1) as { n: number; count: number };
    const gone = last.n + last.count;
    expect(uplink.unacked).toBe(gone);
    expect(gone).toBeGreaterThanOrEqual(100);
    expect(push(uplink, 250 - (110 - gone))).toEqual([]);
    expect(uplink.dropped).toBe(0);
    push(uplink, 1_000);
    expect(uplink.dropped).toBe(1_000);
    uplink.ack(gone - 1);
    const sent: Batch[] = [];
    for (let batch = uplink.take(); batch; batch = uplink.take()) sent.push(batch);
    expect(sent[0]?.n).toBe(gone + 1_000);
    expect(sent.every(({ frames }) => frames.length === 10)).toBe(true);
    // The window holds for a backlog as well.
    expect(sent.length).toBe(10);
    uplink.ack(gone + 1_099);
    for (let batch = uplink.take(); batch; batch = uplink.take()) sent.push(batch);
    expect(sent.length).toBe(20);
  });

  it("gives what is left when talking is over", () => {
    const uplink = new Uplink();
    push(uplink, 1);
    expect(uplink.take()).toBeNull();
    expect(uplink.take(true)).toMatchObject({ n: 0, frames: [{ rms: 0 }] });
    expect(uplink.take(true)).toBeNull();
  });

  it("forgets discarded frames without a gap in their numbers", () => {
    const uplink = new Uplink();
    push(uplink, 1);
    uplink.discard();
    expect(push(uplink, 2)).toEqual([{ n: 0, count: 2 }]);
    expect(uplink.dropped).toBe(0);
  });

  it("sends or drops every frame once and in order, whatever the kernel acknowledges", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 120 }), fc.boolean()), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (all) => {
        const uplink = new Uplink();
        let pushed = 0;
        let expected = 0;
        let sent = 0;
        for (const [frames, acked] of all) {
          for (const { n, count } of push(uplink, frames)) {
            expect(n).toBeGreaterThanOrEqual(expected);
            expected = n + count;
            sent += count;
          }
          pushed += frames;
          expect(uplink.unacked).toBeLessThanOrEqual(110);
          if (acked) uplink.ack(expected - 1);
        }
        expect(pushed - sent - uplink.dropped).toBeGreaterThanOrEqual(0);
        expect(pushed - sent - uplink.dropped).toBeLessThanOrEqual(250);
      }),
    );
  });
});
