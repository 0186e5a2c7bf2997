import { fill, type Labels } from "../ui/labels.ts";
import type { Row } from "./wire.ts";

/** Bytes as people read them: 812 B, 9.4 kB, 1.2 MB. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const [value, unit] = count < 999_500 ? [count / 1e3, "kB"] : [count / 1e6, "MB"];
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** How many of a run came each second; "" where that cannot be said. */
export function rate({ count, at, last }: Row, labels: Labels): string {
  const seconds = last - at;
  if (count < 2 || seconds < 0.01) return "";
  const each = (count - 1) / seconds;
  return fill(labels.inspector.rate, { n: each < 10 ? each.toFixed(1) : Math.round(each) });
}

/** 1,234 by the page's language. */
export function number(count: number, lang: string): string {
  return count.toLocaleString(lang);
}
