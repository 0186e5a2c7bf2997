import { beforeEach, describe, expect, it } from "vitest";
import { Feed } from "../../src/inspector/feed.ts";
import type { Look, Row } from "../../src/inspector/wire.ts";

let asked: Look[];
let feed: Feed;

beforeEach(() => {
  asked = [];
  feed = new Feed((look) => asked.push(look));
});

const last = () => asked.at(-1) as Look;
const row = (n: number) => ({ n, type: "t", count: 1 }) as Row;
/** The kernel's answer to the last question: `total` rows, each named by its place. */
const answer = (total: number, to = last()) => {
  const start = to.start ?? Math.max(0, total - to.count);
  const rows = Array.from({ length: Math.max(0, Math.min(to.count, total - start)) }, (_, i) =>
    row(start + i),
  );
  return feed.take({ to: to.n, total, records: total, taken: total, start, rows });
};

describe("Feed", () => {
  it("asks for the end, and then waits for what is new", () => {
    feed.restart();
    feed.see(0, 10, true);
    expect(asked).toHaveLength(1);
    expect(last()).toMatchObject({ start: null, wait: false });
    answer(500);
    expect(last()).toMatchObject({ start: null, wait: true });
    answer(501);
    expect(asked).toHaveLength(3);
    expect(feed.row(500)?.n).toBe(500);
  });

  it("follows the end without a question of its own for each new row", () => {
    feed.restart();
    answer(500);
    feed.see(480, 10, true);
    answer(501, last());
    const before = asked.length;
    feed.see(491, 10, true);
    expect(asked).toHaveLength(before);
  });

  it("asks at once for rows elsewhere, one question at a time", () => {
    feed.restart();
    answer(9_000);
    feed.see(4_000, 12, false);
    expect(last()).toMatchObject({ start: 3_970, count: 72, wait: false });
    const scrolling = asked.length;
    for (let first = 4_001; first < 4_100; first++) feed.see(first, 12, false);
    expect(asked).toHaveLength(scrolling);
    answer(9_000);
    expect(last()).toMatchObject({ start: 4_069, wait: false });
    answer(9_000);
    expect(last()).toMatchObject({ start: 4_069, wait: true });
    expect(feed.row(4_105)?.n).toBe(4_105);
  });

  it("leaves answers to another filter alone", () => {
    feed.restart();
    const old = last();
    feed.restart({ text: "word" });
    expect(answer(500, old)).toBe(false);
    expect(feed.total).toBe(0);
    expect(last()).toMatchObject({ text: "word", wait: false });
    expect(answer(3)).toBe(true);
    expect(feed.total).toBe(3);
  });

  it("asks nothing while nobody looks, and at once when somebody does", () => {
    feed.restart();
    answer(5);
    feed.hide(true);
    const before = asked.length;
    answer(6);
    expect(asked).toHaveLength(before);
    feed.hide(false);
    expect(last()).toMatchObject({ wait: false });
  });

  it("says that it is paused", () => {
    feed.restart();
    answer(5);
    feed.pause(true);
    expect(last()).toMatchObject({ paused: true });
    feed.pause(false);
    expect(last()).toMatchObject({ paused: false, wait: false });
  });

  it("keeps a bounded number of rows", () => {
    feed.restart();
    for (let first = 0; first < 9_000; first += 50) {
      feed.see(first, 12, false);
      answer(9_000);
    }
    answer(9_000);
    let kept = 0;
    for (let place = 0; place < 9_000; place++) if (feed.row(place)) kept += 1;
    expect(kept).toBeLessThanOrEqual(2_100);
    expect(feed.row(8_950)?.n).toBe(8_950);
  });
});
