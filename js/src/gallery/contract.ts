// The contract with stepnb/widgets/gallery.py.

export interface Head {
  name: string;
  variants: string[];
  inputs: string[];
  repeats: number;
  metrics: string[];
  runs: number;
}

export interface GalleryTraits {
  head: Head;
  lang: string;
}

/** A stretch of an answer: the same as in the reference, gone from it, or new. */
export type Part = ["same" | "gone" | "new", string];

export interface Turn {
  said: string;
  spoken: boolean;
  answer: Part[];
  status: string;
  /** Length of the answer's sound, s. */
  s: number;
}

export interface Cell {
  key: string;
  error: string | null;
  turns: Turn[];
  scores: Record<string, number>;
  rating?: string;
  note?: string;
}

export interface GalleryUp {
  hello: Record<never, never>;
  query: { id: number; text: string; sort: string; variant: number; down: boolean };
  rows: { inputs: number[]; repeat: number; reference: number };
  hear: { key: string; turn: number };
  rate: { key: string; kind: "rating" | "note"; value: string; blind: boolean };
  error: { message: string; stack: string };
}

export interface GalleryDown {
  order: { id: number; inputs: number[] };
  rows: { repeat: number; reference: number; rows: Record<string, (Cell | null)[]> };
  sound: { key: string; turn: number; flac: string };
  refused: { text: string; fix: string | null };
}
