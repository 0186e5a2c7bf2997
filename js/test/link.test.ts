import { describe, expect, it } from "vitest";
import { Link } from "../src/link.ts";

describe("Link", () => {
  it("measures round trip and clock offset", () => {
    const link = new Link();
    expect(link.ping(1_000)).toEqual({ rtt: null, offset: null });
    link.pong(1_000, 51_004, 1_008);
    expect(link.ping(2_000)).toEqual({ rtt: 8, offset: 50_000 });
  });

  it("takes the offset from the shortest of the last round trips", () => {
    const link = new Link();
    link.pong(1_000, 51_004, 1_008);
    link.pong(2_000, 52_290, 2_300);
    expect(link.ping(3_000)).toEqual({ rtt: 300, offset: 50_000 });
    for (let n = 0; n < 20; n++) link.pong(4_000, 54_020, 4_020);
    expect(link.offset).toBe(50_010);
  });

  it("says that the kernel lags after a second without an answer", () => {
    const link = new Link();
    expect(link.lagging(0)).toBe(false);
    link.ping(0);
    expect(link.lagging(1_000)).toBe(false);
    expect(link.lagging(1_001)).toBe(true);
    link.alive(1_500);
    expect(link.lagging(2_000)).toBe(false);
    link.pong(0, 0, 2_100);
    expect(link.lagging(9_000)).toBe(false);
  });

  it("leaves one ping on its way, and gives it up after 10 s", () => {
    const link = new Link();
    link.ping(0);
    expect(link.ping(9_999)).toBeNull();
    expect(link.ping(10_000)).not.toBeNull();
  });
});
