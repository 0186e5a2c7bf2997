import { describe, expect, it } from "vitest";
import type { Row } from "../../src/envelope.ts";
import { money, totals } from "../../src/ui/figures.ts";
import { labelsOf } from "../../src/ui/labels.ts";

const { labels } = labelsOf(["en"]);
const cost = (amount: number | null, estimated = false) => ({ amount, currency: "CNY", estimated });

describe("money", () => {
  it("shows the figures that count, however small", () => {
    expect(money(cost(0.00071), labels)).toBe("0.00071 CNY");
    expect(money(cost(0.0123), labels)).toBe("0.012 CNY");
    expect(money(cost(3.456), labels)).toBe("3.46 CNY");
    expect(money(cost(0.00000002), labels)).toBe("< 0.0001 CNY");
  });

  it("says what is free, estimated or not known", () => {
    expect(money(cost(0), labels)).toBe("free");
    expect(money(cost(0.5, true), labels)).toBe("about 0.50 CNY");
    expect(money(cost(null), labels)).toBe("");
    expect(money(null, labels)).toBe("");
  });
});

describe("totals", () => {
  it("count turns, not rows, and add what has a price", () => {
    const rows = [
      { id: "1-you", cost: null },
      { id: "1-step", cost: cost(0.5) },
      { id: "2-step", cost: cost(0.25, true) },
      { id: "3-step", cost: cost(null) },
    ] as Row[];
    expect(totals(rows)).toEqual({ turns: 3, cost: cost(0.75, true) });
    expect(totals([])).toEqual({ turns: 0, cost: null });
  });
});
