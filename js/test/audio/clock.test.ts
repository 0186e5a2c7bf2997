import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { pageTime } from "../../src/audio/clock.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const FIREFOX_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:153.0) Gecko/20100101 Firefox/153.0";
const CHROMIUM =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

beforeEach(() => {
  vi.spyOn(performance, "now").mockReturnValue(5000);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function at(time: number, userAgent: string, context: Partial<AudioContext>): number {
  vi.stubGlobal("navigator", { userAgent });
  return pageTime(context as AudioContext, time);
}

it.each([CHROMIUM, FIREFOX_MAC])("goes by the output's clock: %s", (userAgent) => {
  const getOutputTimestamp = () => ({ contextTime: 2, performanceTime: 4900 });
  expect(at(2.5, userAgent, { getOutputTimestamp, currentTime: 9 })).toBe(5400);
});

it("goes by the latency before the device has started", () => {
  const getOutputTimestamp = () => ({ contextTime: 0, performanceTime: 0 });
  const context = { getOutputTimestamp, currentTime: 2, outputLatency: 0.05, baseLatency: 0.01 };
  expect(at(2.5, CHROMIUM, context)).toBe(5550);
  expect(at(2.5, CHROMIUM, { ...context, outputLatency: 0 })).toBe(5510);
});

it("never asks Firefox on Linux, which could freeze", () => {
  const freezes = () => {
    throw new Error("frozen");
  };
  const context = {
    currentTime: 2,
    getOutputTimestamp: freezes,
    get outputLatency(): number {
      return freezes();
    },
  };
  expect(at(2.5, FIREFOX, context)).toBeCloseTo(5530);
});
