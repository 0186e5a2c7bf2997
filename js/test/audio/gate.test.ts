import { describe, expect, it } from "vitest";
import { Gate } from "../../src/audio/gate.ts";

const frame = () => ({ pcm: new Int16Array(480).fill(1000), rms: 1000 });

describe("Gate", () => {
  it("lets everything pass while it is off", () => {
    const gate = new Gate();
    gate.sounded(1_000);
    expect(gate.pass(frame(), 1_000).rms).toBe(1000);
  });

  it("brings silence of the same length while sound plays, and until the room is quiet", () => {
    const gate = new Gate();
    gate.on = true;
    expect(gate.pass(frame(), 900).rms).toBe(1000);
    gate.sounded(1_000);
    for (const now of [990, 1_000, 1_249]) {
      const { pcm, rms } = gate.pass(frame(), now);
      expect(rms).toBe(0);
      expect(pcm.length).toBe(480);
      expect(pcm.every((sample) => sample === 0)).toBe(true);
    }
    expect(gate.pass(frame(), 1_250).rms).toBe(1000);
  });
});
