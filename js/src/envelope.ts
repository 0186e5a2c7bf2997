import type { MicState } from "./audio/microphone.ts";
import type { Flushed, Played } from "./audio/speaker.ts";

// The contract with the kernel: ARCHITECTURE.md, "The page and the kernel: the envelope".

export type SessionState =
  | "idle"
  | "connecting"
  | "ready"
  | "listening"
  | "thinking"
  | "speaking"
  | "reconnecting"
  | "failed"
  | "closed";

export interface Status {
  state: SessionState;
  detail: string;
  since: number;
}

export interface Info {
  model: string;
  voice: string;
  /** The service's host; null: the local engine. */
  where: string | null;
  vad: {
    prefix_padding_ms: number;
    silence_duration_ms: number;
    energy_awakeness_threshold: number;
  } | null;
  /** The first line of the instructions, cut. */
  prompt: string;
  /** How many are on. */
  tools: number;
  /** The ways around a missing microphone that the kernel offers. */
  rungs: string[];
  /** By which the widgets of a session find each other on the page. */
  session: string;
}

/** The synced traits of the widget. */
export interface Traits {
  status: Status;
  info: Info;
  /** The language somebody chose, or "". */
  lang: string;
  /** How long a person has to speak before an answer is interrupted, ms, 0 to 500. The page may set it. */
  min_speech_ms: number;
}

/** When the words of an item that were not heard yet will have been: characters of the row's text, ms of the item. */
export interface Spoken {
  item: string;
  words: [chars: number, ms: number][];
}

export interface ToolCall {
  call: string;
  name: string;
  /** JSON, as far as it came. */
  arguments: string;
  output: string | null;
  status:
    | "arriving"
    | "ready"
    | "awaiting approval"
    | "running"
    | "completed"
    | "failed"
    | "denied"
    | "cancelled";
  ms: number | null;
}

export type Finish = "stop" | "length" | "content_filter" | "tool_calls" | "cancelled" | "incomplete";

export interface Row {
  id: string;
  order: number;
  who: "you" | "step";
  text: string;
  state: "live" | "done" | "interrupted" | "failed";
  heard: number | null;
  spoken: Spoken[];
  cut_ms: number | null;
  latency_ms: number | null;
  duration_ms: number | null;
  note: string | null;
  tools: ToolCall[];
  thinking: string;
  finish: Finish | null;
  /** Tokens of the turn. */
  usage: { input: number; output: number; estimated: boolean } | null;
  /** By the published prices; no amount where they are not known. */
  cost: { amount: number | null; currency: string | null; estimated: boolean } | null;
  /** How loud its sound is, 0 to 100, from its begin to its end; null: there is no sound to hear. */
  wave: number[] | null;
}

/** Where the owner of microphone and loudspeaker is. */
export type OwnerPlace = "page" | "companion" | "device";

export type Level = "info" | "warning" | "error";

/** Fields of the messages to the kernel, by kind. */
export interface Up {
  hello: { visible: boolean; lang: string };
  bye: Record<never, never>;
  mic: { n: number; frames: number; pcm: string; rms: number[] };
  mic_state: { state: MicState; detail: string; rate: number | null };
  talk: { on: boolean; how: "toggle" | "hold" };
  stop: Record<never, never>;
  say: { text: string };
  connect: Record<never, never>;
  companion: { on: boolean };
  device: { on: boolean };
  file: { name: string; data: string };
  approve: { call: string; allow: boolean };
  hear: { row: string };
  export: { format: "md" | "json" | "wav" };
  ping: { rtt: number | null; offset: number | null };
  first: { item: string; at: number };
  played: Played;
  flushed: Flushed & { id: number | string };
  error: { message: string; stack: string };
}

/** Fields of the messages from the kernel, by kind. */
export interface Down {
  welcome: { rows: Row[]; owner: string | null; place: OwnerPlace | null };
  row: { row: Row };
  audio: { item: string; pcm: string };
  audio_end: { item: string };
  flush: { id: number | string; fade_ms?: number };
  pong: { echo: number; kernel: number };
  ack: { n: number };
  speech: { on: boolean; at_ms: number | null };
  owner: { view: string | null; place: OwnerPlace | null };
  level: { rms: number[] };
  companion: { url: string };
  notice: { level: Level; text: string; fix?: string | null };
  sound: { row: string; n: number; of: number; pcm: string };
}

export type HandlersOf<D> = { [K in keyof D]: (message: D[K]) => void };
export type Handlers = HandlersOf<Down>;
