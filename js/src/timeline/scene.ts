import { decodeBytes } from "../audio/base64.ts";

/** What the kernel tells of a conversation (stepnb/widgets/timeline.py); times in s. */
export interface SceneMessage {
  end: number;
  /** Share of a lane's height. */
  threshold: number | null;
  speech: [start: number, end: number, turn: number | null, text: string][];
  messages: [at: number, turn: number | null, text: string][];
  replies: [start: number, generated: number, heard: number | null, turn: number, text: string][];
  thinking: [start: number, end: number][];
  calls: [start: number, end: number, name: string][];
  gaps: [start: number, end: number][];
  cuts: number[];
  errors: [at: number, text: string][];
  events: number[];
  /** Levels every 20 ms as base64 of bytes, shares of a lane's height. */
  you: string;
  step: string;
}

export type Who = "you" | "step";

/** Something somebody said or wrote, which can be chosen. */
export interface Said {
  who: Who;
  turn: number | null;
  start: number;
  /** Until it was heard or ended; what was generated beyond is pale. */
  end: number;
  generated: number;
  text: string;
  written: boolean;
}

export const FRAME_S = 0.02;

export class Scene {
  readonly facts: SceneMessage;
  readonly said: Said[];
  readonly levels: Record<Who, Uint8Array>;

  constructor(facts: SceneMessage) {
    this.facts = facts;
    this.levels = { you: decodeBytes(facts.you), step: decodeBytes(facts.step) };
    const speech = facts.speech.map(([start, end, turn, text]) => said("you", turn, start, end, end, text));
    const messages = facts.messages.map(([at, turn, text]) => said("you", turn, at, at, at, text, true));
    const replies = facts.replies.map(([start, generated, heard, turn, text]) =>
      said("step", turn, start, heard ?? generated, generated, text),
    );
    this.said = [...speech, ...messages, ...replies].sort((a, b) => a.start - b.start);
  }

  /** What was said at a time, with some room around it; of several the nearest. */
  at(who: Who, time: number, room: number): Said | null {
    let best: Said | null = null;
    let nearest = room;
    for (const one of this.said) {
      if (one.who !== who) continue;
      const distance = Math.max(one.start - time, time - one.generated, 0);
      if (distance <= nearest && (best === null || distance < nearest)) {
        best = one;
        nearest = distance;
      }
    }
    return best;
  }

  /** The loudest level between two times, 0 to 1. */
  loudest(who: Who, from: number, to: number): number {
    const levels = this.levels[who];
    const last = Math.min(levels.length, Math.max(Math.ceil(to / FRAME_S), Math.floor(from / FRAME_S) + 1));
    let most = 0;
    for (let n = Math.max(0, Math.floor(from / FRAME_S)); n < last; n++)
      most = Math.max(most, levels[n] ?? 0);
    return most / 255;
  }

  /** Whether somebody speaks between two times, and whether it was heard. */
  speaks(who: Who, from: number, to: number): "heard" | "unheard" | null {
    let found: "unheard" | null = null;
    for (const one of this.said) {
      if (one.who !== who || one.written || one.start >= to || one.generated <= from) continue;
      if (one.end > from) return "heard";
      found = "unheard";
    }
    return found;
  }
}

function said(
  who: Who,
  turn: number | null,
  start: number,
  end: number,
  generated: number,
  text: string,
  written = false,
): Said {
  return { who, turn, start, end, generated, text, written };
}
