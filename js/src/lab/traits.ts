import type { RecorderDown, RecorderTraits, RecorderUp } from "../recorder/view.ts";

export type Verdict = "good" | "fair" | "bad" | "unknown";

export interface Check {
  name: string;
  figure: string;
  verdict: Verdict;
  /** Why it is not good: a key of the catalogue's advice. */
  reason: string;
  advice: string;
}

export type Work = "preview" | "clone" | "converse";

export interface LabTraits extends RecorderTraits {
  checks: Check[];
  recorded: boolean;
  price: string;
  free: boolean;
  busy: Work | "";
  made: { id?: string; name?: string };
}

export interface LabUp extends RecorderUp {
  preview: { text: string; said: string };
  clone: { name: string; said: string; consent: string; accept_cost: boolean };
  converse: Record<never, never>;
}

export interface LabDown extends RecorderDown {
  preview: { pcm: string };
  failed: { step: Work; text: string; fix: string };
}
