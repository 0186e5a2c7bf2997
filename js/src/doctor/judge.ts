import { fill, type Labels } from "../ui/labels.ts";
import type { Finding } from "./contract.ts";

/** Longer than this and a conversation suffers, ms; the panel's badge says slow from here on. */
export const SLOW_MS = 300;

/** What was measured: round trips, ms, and whether the last one got no answer in time. */
export interface Measured {
  times: number[];
  lost: boolean;
}

/** RMS of 20 ms, int16 units: below the first there is nothing but the device's noise, below the second it is faint. */
const SILENT = 20;
const FAINT = 150;

/** What was heard while a microphone was tried. */
export interface MicrophoneTrial {
  label: string;
  /** The loudest 20 ms, RMS in int16 units. */
  loudest: number;
}

/** The value below which a share of all lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function figures({ times }: Measured): Record<string, string> {
  return {
    p50: Math.round(quantile(times, 0.5)).toString(),
    p95: Math.round(quantile(times, 0.95)).toString(),
  };
}

/** Round trips to an idle kernel. */
export function judgeIdle(measured: Measured, { doctor: words }: Labels): Finding {
  if (measured.lost || !measured.times.length) return { state: "fails", ...pair(words.messages.lost) };
  const slow = quantile(measured.times, 0.5) > SLOW_MS;
  const [text, fix] = slow ? words.messages.slow : [words.messages.ok, ""];
  return { state: slow ? "note" : "ok", text: fill(text, figures(measured)), fix };
}

/** Round trips while the kernel is busy; null: it could not be made busy, or was before. */
export function judgeBusy(measured: Measured | null, { doctor: words }: Labels): Finding {
  if (measured === null) return { state: "open", ...pair(words.busy.open) };
  const waits = measured.lost || quantile(measured.times, 0.5) > SLOW_MS;
  if (waits) return { state: "note", ...pair(words.busy.waits) };
  return { state: "ok", text: fill(words.busy.ok, figures(measured)), fix: "" };
}

/** Whether messages came on a subshell. */
export function judgeSubshells(beside: boolean, { doctor: words }: Labels): Finding {
  if (!beside) return { state: "note", ...pair(words.subshells.none) };
  return { state: "ok", text: words.subshells.ok, fix: "" };
}

/** What a tried microphone heard. */
export function judgeMicrophone({ label, loudest }: MicrophoneTrial, { doctor: words }: Labels): Finding {
  const values = { device: label, db: Math.round(20 * Math.log10(Math.max(loudest, 1) / 32768)) };
  const { heard, faint, silent } = words.microphone;
  if (loudest >= FAINT) return { state: "ok", text: fill(heard, values), fix: "" };
  const [text, fix] = loudest >= SILENT ? faint : silent;
  return { state: "note", text: fill(text, values), fix };
}

export function pair([text, fix]: readonly [string, string]): { text: string; fix: string } {
  return { text, fix };
}
