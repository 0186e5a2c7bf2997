import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROW, Span, TALLEST } from "../../src/inspector/span.ts";

function span(total: number, height: number): Span {
  const made = new Span();
  made.total = total;
  made.height = height;
  return made;
}

describe("the rows near the screen", () => {
  it("are those that are seen, few whatever there is", () => {
    expect(span(10_000, 240).at(0)).toEqual({ first: 0, count: 10, top: 0 });
    expect(span(10_000, 240).at(1_000)).toEqual({ first: 41, count: 11, top: 984 });
    expect(span(3, 240).at(0)).toEqual({ first: 0, count: 3, top: 0 });
    expect(span(0, 240).at(0)).toEqual({ first: 0, count: 0, top: 0 });
  });

  it("cover the screen and no more, wherever it is scrolled to", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000_000 }),
        fc.integer({ min: ROW, max: 1_000 }),
        fc.double({ min: -0.1, max: 1.1, noNaN: true }),
        (total, height, share) => {
          const list = span(total, height);
          const scrollTop = share * list.content;
          const { first, count, top } = list.at(scrollTop);
          expect(count).toBeLessThanOrEqual(Math.ceil(height / ROW) + 1);
          expect(first).toBeGreaterThanOrEqual(0);
          expect(first + count).toBeLessThanOrEqual(total);
          const inside = Math.min(Math.max(scrollTop, 0), Math.max(0, list.content - height));
          expect(top).toBeLessThanOrEqual(scrollTop + 0.01);
          if (total * ROW >= height && inside === scrollTop) {
            expect(top + count * ROW).toBeGreaterThanOrEqual(
              Math.min(scrollTop + height, list.content) - 0.01,
            );
          }
        },
      ),
    );
  });

  it("can all be reached, the last one too, when there are more than a browser can place", () => {
    const list = span(3_000_000, 240);
    expect(list.content).toBe(TALLEST);
    const end = list.content - 240;
    expect(list.at(end)).toMatchObject({ first: 2_999_990, count: 10 });
    expect(list.atEnd(end)).toBe(true);
    expect(list.atEnd(end - 1_000)).toBe(false);
  });

  it("are revealed whole and moved no further than needed", () => {
    const list = span(10_000, 240);
    expect(list.reveal(5, 0)).toBe(0);
    expect(list.reveal(10, 0)).toBe(24);
    expect(list.reveal(5, 240)).toBe(120);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3_000_000 }),
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (total, at, share) => {
          const long = span(total, 240);
          const index = at % total;
          const { first, count } = long.at(long.reveal(index, share * Math.max(0, long.content - 240)));
          expect(index).toBeGreaterThanOrEqual(first);
          expect(index).toBeLessThan(first + count);
        },
      ),
    );
  });
});
