import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** The house rule for a module of the page. */
const LONGEST = 250;

describe("the house", () => {
  it("keeps its modules short", () => {
    const root = join(import.meta.dirname, "../src");
    const long = readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .filter((name) => readFileSync(join(root, name), "utf8").split("\n").length - 1 > LONGEST);
    expect(long).toEqual([]);
  });
});
