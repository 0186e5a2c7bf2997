import { beforeEach, describe, expect, it } from "vitest";
import { ViewGroup } from "../src/group.ts";

const one = { id: "one", busy: false };
const two = { id: "two", busy: false };
let group: ViewGroup;

beforeEach(() => {
  one.busy = two.busy = false;
  group = new ViewGroup();
  group.add(one);
  group.add(two);
});

const players = (item: string) =>
  [one, two].filter((member) => group.plays(member, item)).map(({ id }) => id);

describe("ViewGroup", () => {
  it("lets the view last shown play", () => {
    expect(players("a")).toEqual(["two"]);
  });

  it("lets the microphone's owner play, but an item stays where it began", () => {
    expect(players("a")).toEqual(["two"]);
    group.own("one");
    expect(players("a")).toEqual(["two"]);
    expect(players("b")).toEqual(["one"]);
  });

  it("hands an item over when its view goes", () => {
    group.plays(two, "a");
    group.remove(two);
    expect(group.plays(one, "a")).toBe(true);
  });

  it("is quiet while a view of another page owns the microphone, until a view is shown here", () => {
    group.own("elsewhere");
    expect(players("a")).toEqual([]);
    group.add({ id: "three", busy: false });
    expect(group.plays({ id: "three", busy: false }, "b")).toBe(true);
  });

  it("has exactly one answer to a flush", () => {
    expect([one, two].filter((member) => group.answersFlush(member))).toEqual([two]);
    one.busy = true;
    expect([one, two].filter((member) => group.answersFlush(member))).toEqual([one]);
  });
});
