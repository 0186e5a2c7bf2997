import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Press } from "../../src/ui/press.ts";

let log: string[];
let press: Press;

beforeEach(() => {
  vi.useFakeTimers();
  log = [];
  press = new Press({
    down: () => log.push("down"),
    decide: (how) => log.push(how),
    release: () => log.push("release"),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Press", () => {
  it("is a toggle when released before 300 ms", () => {
    press.down();
    vi.advanceTimersByTime(299);
    press.up();
    vi.advanceTimersByTime(1_000);
    press.up();
    expect(log).toEqual(["down", "toggle"]);
  });

  it("is a hold from 300 ms on, until released", () => {
    press.down();
    vi.advanceTimersByTime(300);
    press.down();
    press.up();
    press.up();
    expect(log).toEqual(["down", "hold", "release"]);
  });
});
