export type State = "ok" | "note" | "fails" | "open";

/** What the page looks at itself, in the order of the table. */
export const CHECKS = ["page", "microphone", "output", "messages", "busy", "subshells"] as const;
export type Check = (typeof CHECKS)[number];

/** What came of a check: what was found, and what to do about it. */
export interface Finding {
  state: State;
  text: string;
  fix: string;
}

/** A row of the kernel. Its name and sentences are English; the page has most of the names in its own language. */
export interface KernelRow extends Finding {
  check: string;
  name: string;
}

export interface DoctorTraits {
  kernel_rows: KernelRow[];
  /** Whether the kernel still looks. */
  looking: boolean;
  lang: string;
}

export interface DoctorUp {
  hello: Record<never, never>;
  ping: Record<never, never>;
  hold: Record<never, never>;
  found: Finding & { check: Check };
  error: { message: string; stack: string };
}

export interface DoctorDown {
  /** `beside`: the message was taken in beside the thread of the cells. */
  pong: { echo: number; beside: boolean };
  /** The thread of the cells is busy from now on, or no more; null: it cannot be held. */
  held: { on: boolean | null };
  refused: { text: string; fix: string | null };
}
