import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FRAME_SAMPLES } from "../../src/audio/format.ts";
import { Source } from "../../src/recorder/source.ts";

// Node has no AudioContext; none is opened here.
vi.mock("../../src/audio/host.ts", () => ({
  AudioHost: class {
    close() {}
  },
}));

beforeEach(() => {
  vi.stubGlobal("window", {
    isSecureContext: false,
    location: { protocol: "http:", hostname: "lab.example" },
  });
  vi.stubGlobal("document", { removeEventListener: () => {} });
});
afterEach(() => vi.unstubAllGlobals());

function made() {
  const said: unknown[] = [];
  const source = new Source({
    frame: ({ pcm, rms }) => said.push([pcm.length, rms]),
    state: (state) => said.push(state),
    elsewhere: (on) => said.push(on),
  });
  return { said, source };
}

test("a page without a microphone says so, and asks nobody", async () => {
  const { said, source } = made();
  await source.start();
  expect(said).toEqual(["insecure"]);
  expect(source.on).toBe(false);
});

test("the kernel's sound comes as frames for as long as it is wanted", () => {
  const { said, source } = made();
  const sound = new Int16Array(2 * FRAME_SAMPLES).fill(7);
  source.heard(sound);
  expect(said).toEqual([]);
  source.startElsewhere();
  source.heard(sound);
  const frame = [FRAME_SAMPLES, 7];
  expect(said).toEqual([true, "live", frame, frame]);
  expect(source.on).toBe(true);
  source.close();
  source.heard(sound);
  expect(said.slice(4)).toEqual([false]);
  expect(source.on).toBe(false);
});

test("it ends in the middle of what came at once", () => {
  const frames: number[] = [];
  const source: Source = new Source({
    frame: ({ pcm }) => {
      frames.push(pcm.length);
      source.stop();
    },
    state: () => {},
    elsewhere: () => {},
  });
  source.startElsewhere();
  source.heard(new Int16Array(5 * FRAME_SAMPLES));
  expect(frames).toHaveLength(1);
});
