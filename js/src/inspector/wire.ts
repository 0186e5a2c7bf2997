// The inspector's messages: ARCHITECTURE.md, "The page and the kernel: the envelope".

export type Side = "in" | "out" | "local";

/** One row: a record, or a run of records of one side and type. */
export interface Row {
  /** The number of its first record. */
  n: number;
  /** When its first and its last record were, s from the beginning. */
  at: number;
  last: number;
  side: Side;
  type: string;
  count: number;
  /** On the wire. */
  bytes: number;
  audio_ms: number;
  text: string;
}

export interface RecordDetail extends Row {
  /** Without the audio. */
  json: string;
  /** The words of the whole run. */
  together: string;
  repairs: string[];
}

export interface Filter {
  side: Side | "";
  type: string;
  text: string;
  fold: boolean;
}

export interface Look extends Filter {
  n: number;
  /** null: the last ones. */
  start: number | null;
  count: number;
  /** Answered once there is something new. */
  wait: boolean;
  paused: boolean;
}

export interface RowsMessage {
  /** The look it answers. */
  to: number;
  total: number;
  /** Records there are, and those the rows were made of. */
  records: number;
  taken: number;
  start: number;
  rows: Row[];
}

export interface Up {
  hello: Record<never, never>;
  bye: Record<never, never>;
  look: Look;
  detail: { n: number };
  send: { text: string };
  save: { name: string };
  load: { name: string | null };
  error: { message: string; stack: string };
}

export interface Down {
  welcome: { templates: { type: string }[]; files: string[] };
  rows: RowsMessage;
  detail: { n: number; record: RecordDetail | null };
  sent: { event_id: string };
  saved: { name: string; files: string[] };
  /** Why something could not be done. */
  said: { about: string; text: string; fix: string | null };
}
