import { describe, expect, it } from "vitest";
import type { Row } from "../../src/envelope.ts";
import { Heard } from "../../src/ui/heard.ts";

const row = (fields: Partial<Row>): Row => ({
  id: "1-step",
  order: 3,
  who: "step",
  text: "one two three",
  state: "live",
  heard: null,
  spoken: [],
  cut_ms: null,
  latency_ms: null,
  duration_ms: null,
  note: null,
  tools: [],
  thinking: "",
  finish: null,
  usage: null,
  cost: null,
  wave: null,
  ...fields,
});
const spoken: Row["spoken"] = [
  {
    item: "a",
    words: [
      [3, 300],
      [7, 700],
      [13, 1300],
    ],
  },
];

describe("Heard", () => {
  it("moves word by word with the playhead", () => {
    const heard = new Heard();
    const at = (ms: number) => {
      heard.move("a", ms);
      return heard.of(row({ spoken }));
    };
    expect([0, 299, 300, 699, 700, 1299, 1300].map(at)).toEqual([0, 0, 3, 3, 7, 7, 13]);
  });

  it("never goes back behind what the kernel knows", () => {
    const heard = new Heard();
    heard.move("a", 300);
    expect(heard.of(row({ spoken, heard: 7 }))).toBe(7);
  });

  it("counts on over the items of an answer", () => {
    const heard = new Heard();
    heard.move("b", 250);
    const second: Row["spoken"] = [{ item: "b", words: [[10, 200]] }];
    expect(heard.of(row({ heard: 7, spoken: second, state: "done" }))).toBe(10);
  });

  it("leaves the last word on a cut answer to the kernel", () => {
    const heard = new Heard();
    heard.move("a", 5000);
    expect(heard.of(row({ spoken, heard: 3, state: "interrupted" }))).toBe(3);
  });

  it("takes what was just written for unheard, and what was never spoken for not known", () => {
    const heard = new Heard();
    expect(heard.of(row({}))).toBe(0);
    expect(heard.of(row({ state: "done" }))).toBeNull();
    expect(heard.of(row({ who: "you" }))).toBeNull();
  });

  it("remembers few items", () => {
    const heard = new Heard();
    heard.move("a", 700);
    for (let i = 0; i < 8; i++) heard.move(`other ${i}`, 1);
    expect(heard.of(row({ spoken }))).toBe(0);
  });
});
