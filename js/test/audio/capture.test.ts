import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { Frame } from "../../src/audio/framer.ts";

interface Processor {
  port: { onmessage?: () => void };
  process(inputs: Float32Array[][]): boolean;
}
let Capture: new () => Processor;
let frames: Frame[] = [];

beforeAll(async () => {
  vi.stubGlobal("sampleRate", 48_000);
  vi.stubGlobal(
    "AudioWorkletProcessor",
    class {
      port = { postMessage: (frame: Frame) => frames.push(frame) };
    },
  );
  vi.stubGlobal("registerProcessor", (_: string, processor: typeof Capture) => {
    Capture = processor;
  });
  await import("../../src/audio/capture.worklet.ts");
});

beforeEach(() => {
  frames = [];
});

const BLOCKS_A_SECOND = 48_000 / 128;

it("brings 50 frames a second, also while there is no channel, as of a muted microphone in Firefox", () => {
  const capture = new Capture();
  const loud = new Float32Array(128).fill(0.5);
  for (let i = 0; i < BLOCKS_A_SECOND; i++) capture.process([[loud]]);
  expect(Math.abs(frames.length - 50)).toBeLessThanOrEqual(1);
  const heard = frames.length;
  for (let i = 0; i < BLOCKS_A_SECOND; i++) expect(capture.process([[]])).toBe(true);
  expect(frames.length - heard).toBeGreaterThanOrEqual(49);
  expect(frames[10]?.rms).toBeGreaterThan(10_000);
  expect(frames.at(-1)?.rms).toBe(0);
});

it("ends when it is told to", () => {
  const capture = new Capture();
  capture.port.onmessage?.();
  expect(capture.process([[]])).toBe(false);
});
