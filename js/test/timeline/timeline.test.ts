import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shorten } from "../../src/timeline/draw.ts";
import { Scene, type SceneMessage } from "../../src/timeline/scene.ts";
import { axisStep, clock, Span } from "../../src/timeline/span.ts";

const facts: SceneMessage = {
  end: 10,
  threshold: 0.3,
  speech: [[1, 2, 1, "Hello"]],
  messages: [[6, 2, "Typed"]],
  replies: [[3, 6, 4.5, 1, "Good day"]],
  thinking: [],
  calls: [],
  gaps: [],
  cuts: [4.5],
  errors: [],
  events: [],
  you: btoa(String.fromCharCode(0, 51, 255, 102)),
  step: "",
};

describe("the part that is shown", () => {
  it("never leaves the conversation", () => {
    const move = fc.oneof(
      fc.record({ pan: fc.double({ min: -3, max: 3, noNaN: true }) }),
      fc.record({
        zoom: fc.double({ min: 0.01, max: 50, noNaN: true }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({ reveal: fc.double({ min: 0, max: 90, noNaN: true }) }),
    );
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2000, noNaN: true }), fc.array(move), (end, moves) => {
        const span = new Span(end);
        for (const one of moves) {
          if ("pan" in one) span.pan(one.pan);
          else if ("zoom" in one) span.zoom(one.zoom, one.share);
          else span.reveal(one.reveal, one.reveal + 1);
          expect(span.start).toBeGreaterThanOrEqual(0);
          expect(span.end).toBeLessThanOrEqual(Math.max(end, 0.5) + 1e-9);
          expect(span.length).toBeGreaterThan(0.49);
        }
      }),
    );
  });

  it("keeps what is under the pointer where it is", () => {
    const span = new Span(100);
    span.zoom(0.5, 0.3);
    const under = span.time(0.3);
    span.zoom(0.25, 0.3);
    expect(span.time(0.3)).toBeCloseTo(under);
    expect(span.share(under)).toBeCloseTo(0.3);
    span.all();
    expect(span.whole).toBe(true);
  });

  it("moves to show what was chosen, and no more than it has to", () => {
    const span = new Span(100);
    span.zoom(0.1, 0);
    span.reveal(2, 5);
    expect(span.start).toBe(0);
    span.reveal(50, 53);
    expect(span.end).toBeCloseTo(53.5);
    span.reveal(20, 90);
    expect(span.start).toBeCloseTo(19.5);
  });
});

describe("the axis", () => {
  it("has round steps", () => {
    expect([0.01, 0.3, 3, 14, 61, 5000].map(axisStep)).toEqual([0.1, 0.5, 5, 15, 120, 3600]);
  });

  it("is written as a clock", () => {
    expect([clock(0), clock(61), clock(59.96, 0.1), clock(600)]).toEqual(["0:00", "1:01", "1:00.0", "10:00"]);
  });
});

describe("a scene", () => {
  const scene = new Scene(facts);

  it("knows what was said where", () => {
    expect(scene.at("you", 1.5, 0.1)?.text).toBe("Hello");
    expect(scene.at("step", 5.9, 0.1)?.text).toBe("Good day");
    expect(scene.at("you", 6.05, 0.1)?.text).toBe("Typed");
    expect(scene.at("you", 8, 0.1)).toBeNull();
    expect(scene.said.map(({ start }) => start)).toEqual([1, 3, 6]);
  });

  it("tells heard from unheard", () => {
    expect(scene.speaks("step", 4, 4.1)).toBe("heard");
    expect(scene.speaks("step", 5, 5.1)).toBe("unheard");
    expect(scene.speaks("step", 7, 8)).toBeNull();
    expect(scene.speaks("you", 6, 6.1)).toBeNull();
  });

  it("finds the loudest frame of a stretch, and at least one", () => {
    expect(scene.loudest("you", 0, 0.08)).toBe(1);
    expect(scene.loudest("you", 0.02, 0.021)).toBeCloseTo(0.2);
    expect(scene.loudest("you", 0.061, 0.062)).toBeCloseTo(0.4);
    expect(scene.loudest("you", 5, 6)).toBe(0);
  });
});

describe("text", () => {
  const context = { measureText: (text: string) => ({ width: [...text].length * 7 }) as TextMetrics };

  it("is cut to fit, between characters", () => {
    expect(shorten(context, "Hello there", 200)).toBe("Hello there");
    expect(shorten(context, "Hello there", 63)).toBe("Hello th…");
    expect(shorten(context, "Hello there", 49)).toBe("Hello…");
    expect(shorten(context, "🙂🙂🙂🙂🙂🙂🙂", 42)).toBe("🙂🙂🙂🙂🙂…");
    expect(shorten(context, "Hello there", 20)).toBe("");
  });
});
