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

  it("sends 200 ms a message when more than 2 s are unacknowledged", () => {
    const uplink = new Uplink();
    push(uplink, 102);
    expect(push(uplink, 20)).toEqual([
      { n: 102, count: 10 },
      { n: 112, count: 10 },
    ]);
    uplink.ack(121);
    expect(push(uplink, 2)).toEqual([{ n: 122, count: 2 }]);
  });

  it("holds at 5 s, keeps 5 s more, then drops the oldest and counts them", () => {
    const uplink = new Uplink();
    push(uplink, 252);
    expect(uplink.unacked).toBe(252);
    expect(push(uplink, 250)).toEqual([]);
    expect(uplink.dropped).toBe(0);
    push(uplink, 1_000);
    expect(uplink.dropped).toBe(1_000);
    uplink.ack(251);
    const sent: Batch[] = [];
    for (let batch = uplink.take(); batch; batch = uplink.take()) sent.push(batch);
    expect(sent[0]?.n).toBe(1_252);
    expect(sent.every(({ frames }) => frames.length === 10)).toBe(true);
    expect(sent.length).toBe(25);
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
          expect(uplink.unacked).toBeLessThanOrEqual(260);
          if (acked) uplink.ack(expected - 1);
        }
        expect(pushed - sent - uplink.dropped).toBeGreaterThanOrEqual(0);
        expect(pushed - sent - uplink.dropped).toBeLessThanOrEqual(250);
      }),
    );
  });
});
