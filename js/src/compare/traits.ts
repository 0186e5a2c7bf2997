export interface Cell {
  /** Places in the lists of voices and texts. */
  voice: number;
  text: number;
  figures: string;
  error: string | null;
  /** The loudest of each stretch, 0 to 100. */
  peaks: number[];
}

export interface Score {
  voice: string;
  trials: number;
  wins: number;
  ties: number;
  losses: number;
  /** Shares, 0 to 1. */
  preference: number;
  low: number;
  high: number;
}

export type Choice = "a" | "b" | "tie";

export interface CompareTraits {
  grid: { voices: string[]; texts: string[]; cells: Cell[] };
  /** `number` equal to `total`: all is judged. */
  trial: { number: number; total: number; text: string };
  /** Empty before all is judged: the test is blind. */
  scores: Score[];
  lang: string;
}

export interface CompareUp {
  listen: { cell: string };
  judge: { number: number; choice: Choice };
  undo: Record<never, never>;
  begin: Record<never, never>;
  error: { message: string; stack: string };
}

export interface CompareDown {
  /** A WAV file as base64, null where there is none; `number`: of the trial it belongs to. */
  sound: { cell: string; number: number; wav: string | null };
}
