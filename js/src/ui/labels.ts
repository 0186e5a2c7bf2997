import { en, type Labels } from "./labels/en.ts";
import { zh } from "./labels/zh.ts";

export type { Labels, MicTrouble, PanelState } from "./labels/en.ts";

/** The catalogue for the page's language, and that language's tag. */
export function labelsOf(languages: readonly string[]): { lang: "en" | "zh"; labels: Labels } {
  const known = languages.find((tag) => /^(en|zh)\b/i.test(tag));
  return known?.toLowerCase().startsWith("zh") ? { lang: "zh", labels: zh } : { lang: "en", labels: en };
}

/** The catalogue for this page; `wanted`, where it is not empty, is the language somebody chose. */
export function pageLabels(wanted: string): ReturnType<typeof labelsOf> {
  return labelsOf([wanted, document.documentElement.lang, ...navigator.languages]);
}

/** `"{s} s"` with values put in. */
export function fill(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Milliseconds as seconds: 4.1, or with two places 0.62. */
export function seconds(ms: number, places = 1): string {
  return (ms / 1000).toFixed(places);
}
