import type { Row } from "../envelope.ts";
import { fill, type Labels } from "./labels.ts";

const SMALLEST = 0.0001;

/** What something cost, in words; "" where the price is not known. */
export function money(cost: Row["cost"], { free, estimated }: Labels): string {
  if (!cost || cost.amount === null) return "";
  if (cost.amount === 0) return free;
  // Two figures that count: a turn costs a fraction of a cent.
  const places = Math.min(6, Math.max(2, 1 - Math.floor(Math.log10(cost.amount))));
  const figures = cost.amount < SMALLEST ? `< ${SMALLEST}` : cost.amount.toFixed(places);
  const amount = `${figures} ${cost.currency ?? ""}`.trim();
  return cost.estimated ? fill(estimated, { what: amount }) : amount;
}

/** Turns and their costs taken together. */
export function totals(rows: Iterable<Row>): { turns: number; cost: Row["cost"] } {
  const all = [...rows];
  const costs = all.flatMap(({ cost }) => (cost?.amount == null ? [] : [{ ...cost, amount: cost.amount }]));
  const [first] = costs;
  return {
    turns: new Set(all.map(({ id }) => id.replace(/-\w+$/, ""))).size,
    cost: first
      ? {
          amount: costs.reduce((sum, { amount }) => sum + amount, 0),
          currency: first.currency,
          estimated: costs.some(({ estimated }) => estimated),
        }
      : null,
  };
}
