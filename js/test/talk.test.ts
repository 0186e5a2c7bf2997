import { beforeEach, describe, expect, it } from "vitest";
import type { Frame } from "../src/audio/framer.ts";
import { Talk } from "../src/talk.ts";

let log: string[];
let talk: Talk;

beforeEach(() => {
  log = [];
  talk = new Talk({
    openMicrophone: () => log.push("open"),
    closeMicrophone: () => log.push("close"),
    talk: ({ on, how }) => log.push(`talk ${on} ${how}`),
    mic: ({ n, frames, pcm }) => log.push(`mic ${n} ${frames} ${atob(pcm).length}`),
  });
});

const frame = (): Frame => ({ pcm: new Int16Array(480), rms: 100.4 });

describe("Talk", () => {
  it("starts and ends with a click", () => {
    talk.down();
    talk.decide("toggle");
    talk.frame(frame());
    talk.frame(frame());
    talk.frame(frame());
    talk.down();
    talk.decide("toggle");
    expect(log).toEqual([
      "open",
      "talk true toggle",
      "mic 0 2 1920",
      "mic 2 1 960",
      "talk false toggle",
      "close",
    ]);
    expect(talk.on).toBe(false);
  });

  it("keeps what was said before a hold was one, and ends with the release", () => {
    talk.down();
    for (let i = 0; i < 4; i++) talk.frame(frame());
    expect(log).toEqual(["open"]);
    talk.decide("hold");
    talk.release();
    expect(log).toEqual([
      "open",
      "talk true hold",
      "mic 0 2 1920",
      "mic 2 2 1920",
      "talk false hold",
      "close",
    ]);
  });

  it("goes on when a click is released, and ends when it is held the second time", () => {
    talk.down();
    talk.decide("toggle");
    talk.release();
    expect(talk.on).toBe(true);
    talk.down();
    talk.decide("hold");
    talk.release();
    expect(log.filter((line) => line !== "open")).toEqual(["talk true toggle", "talk false toggle", "close"]);
  });

  it("tells the kernel nothing of a press that the browser refused", () => {
    talk.down();
    talk.frame(frame());
    talk.end();
    talk.decide("toggle");
    expect(log).toEqual(["open", "close"]);
    expect(talk.uplink.unacked).toBe(0);
  });

  it("sends a backlog when the kernel acknowledges again", () => {
    talk.down();
    talk.decide("toggle");
    for (let i = 0; i < 300; i++) talk.frame(frame());
    const before = log.length;
    talk.ack(250);
    expect(log.length).toBeGreaterThan(before);
  });
});
