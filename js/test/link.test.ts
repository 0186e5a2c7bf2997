import { describe, expect, it } from "vitest";
import { Link } from "../src/link.ts";

describe("Link", () => {
  it("measures round trip and clock offset", () => {
    const link = new Link();
    expect(link.ping(1_000)).toEqual({ rtt: null, offset: null });
    link.pong(1_000, 51_004, 1_008);
    expect(link.ping(2_000)).toEqual({ rtt: 8, offset: 50_000 });
  });

  it("wants five round trips before it rests", () => {
    const link = new Link();
    for (let n = 0; n < 5; n++) {
      expect(link.learning).toBe(true);
      link.pong(n, n, n + 1);
    }
    expect(link.learning).toBe(false);
  });

  it("takes the offset from the shortest of the last round trips", () => {
    const link = new Link();
    link.pong(1_000, 51_004, 1_008);
    link.pong(2_000, 52_290, 2_300);
    expect(link.ping(3_000)).toEqual({ rtt: 300, offset: 50_000 });
    for (let n = 0; n < 20; n++) link.pong(4_000, 54_020, 4_020);
    expect(link.offset).toBe(50_010);
  });

  it("is slow after 300 ms without an answer and blocked after a second", () => {
    const link = new Link();
    expect(link.health(0, 0)).toBe("live");
    link.ping(0);
    expect(link.health(300, 0)).toBe("live");
    expect(link.health(301, 0)).toBe("slow");
    expect(link.health(1_000, 0)).toBe("slow");
    expect(link.health(1_001, 0)).toBe("blocked");
    link.alive(1_500);
    expect(link.health(1_600, 0)).toBe("slow");
    link.pong(0, 0, 2_100);
    expect(link.health(3_099, 0)).toBe("slow");
    expect(link.health(3_100, 0)).toBe("live");
  });

  it("goes by microphone audio that is not acknowledged as well", () => {
    const link = new Link();
    expect(link.health(0, 200)).toBe("live");
    expect(link.health(1_000, 400)).toBe("slow");
    expect(link.health(2_000, 1_400)).toBe("blocked");
    expect(link.health(2_100, 900)).toBe("blocked");
    expect(link.health(2_200, 40)).toBe("slow");
    expect(link.health(3_200, 40)).toBe("live");
  });

  it("leaves one ping on its way, and gives it up after 10 s", () => {
    const link = new Link();
    link.ping(0);
    expect(link.ping(9_999)).toBeNull();
    expect(link.ping(10_000)).not.toBeNull();
  });
});
