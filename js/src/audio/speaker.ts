import { leaveVoice, queueVoice, type Voice } from "../page.ts";
import { toMs } from "./format.ts";
import type { AudioHost } from "./host.ts";
import type { PlayerCommand, PlayerReport } from "./playback.worklet.ts";
import { FADE_MS } from "./player.ts";

/** Reports of the playhead: four a second. */
const REPORT_MS = 250;

export interface Played {
  items: Record<string, number>;
  buffered_ms: number;
  underruns: number;
  playing: boolean;
}

export interface Flushed {
  item: string | null;
  heard_ms: number;
  unplayed_ms: number;
  underruns: number;
  /** Page times (ms) at which silence was asked for, and at which the fade had reached the ear. */
  asked: number;
  at: number;
}

export interface SpeakerEvents {
  first(item: string, at: number): void;
  played(report: Played): void;
  /** RMS of 20 ms of sound at the page time at which it is heard. */
  level(rms: number, at: number): void;
  /** Samples of an item rendered so far; `over`: there are no more of it. */
  progress(item: string, samples: number, over: boolean): void;
  /** So much of an item has reached the ear, ms. */
  heard(item: string, ms: number): void;
  /** `playing`, `busy` or `underruns` may have changed. */
  changed(): void;
  error(error: unknown): void;
}

/** The loudspeaker: feeds the playback worklet and reports what was really heard. */
export class Speaker {
  playing = false;
  underruns = 0;
  readonly #host: AudioHost;
  readonly #events: SpeakerEvents;
  #node: Promise<AudioWorkletNode> | null = null;
  #commands = 0;
  #last: PlayerReport | null = null;
  /** Samples of an item rendered by a context time, s; null once all of it has reached the ear. */
  readonly #positions = new Map<string, { samples: number; time: number | null }>();
  readonly #flushes = new Map<number, (found: Omit<Flushed, "asked">) => void>();
  #flushId = 0;
  /** Items with audio not yet played, and those of the last flush. */
  readonly #items = new Set<string>();
  #flushed = new Set<string>();
  #reportedAt = Number.NEGATIVE_INFINITY;
  #closed = false;
  #held = false;
  readonly #voice: Voice = { speak: () => this.#hold(false) };

  constructor(host: AudioHost, events: SpeakerEvents) {
    this.#host = host;
    this.#events = events;
  }

  /** Whether audio is waiting or playing. */
  get busy(): boolean {
    const last = this.#last;
    return last ? last.playing || last.buffered > 0 || last.commands < this.#commands : this.#commands > 0;
  }

  /** Queues speech; false: its item was flushed, and this came late. */
  push(item: string, pcm: Int16Array): boolean {
    if (this.#flushed.has(item)) return false;
    if (!this.busy) {
      this.#hold(true);
      queueVoice(this.#voice);
    }
    this.#items.add(item);
    this.#post({ k: "push", item, pcm });
    return true;
  }

  end(item: string): void {
    if (this.#node) this.#post({ k: "end", item });
  }

  /** Fades out and drops everything queued. */
  flush(fadeMs = FADE_MS): Promise<Flushed> {
    const asked = performance.now();
    if (!this.#node) {
      const { underruns } = this;
      return Promise.resolve({ item: null, heard_ms: 0, unplayed_ms: 0, underruns, asked, at: asked });
    }
    // Of those flushed before, audio is no longer on its way.
    if (this.#items.size) this.#flushed = new Set(this.#items);
    this.#items.clear();
    const id = this.#flushId++;
    this.#post({ k: "flush", id, fadeMs });
    return new Promise((resolve) => this.#flushes.set(id, (found) => resolve({ ...found, asked })));
  }

  close(): void {
    this.#closed = true;
    leaveVoice(this.#voice);
    this.#node?.then((node) => node.disconnect()).catch(() => {});
    this.#node = null;
  }

  #post(command: PlayerCommand): void {
    this.#commands += 1;
    this.#node ??= this.#open();
    this.#node.then((node) => node.port.postMessage(command)).catch(this.#events.error);
  }

  async #open(): Promise<AudioWorkletNode> {
    const context = await this.#host.open();
    const node = new AudioWorkletNode(context, "stepnb-playback", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    node.port.onmessage = ({ data }: MessageEvent<PlayerReport>) => {
      if (!this.#closed) this.#take(data);
    };
    node.connect(this.#host.output);
    return node;
  }

  #take(report: PlayerReport): void {
    const { time, position } = report;
    const at = this.#host.pageTime(time);
    this.#last = report;
    this.playing = report.playing;
    this.underruns = report.underruns;
    if (position) this.#move(position.item, position.samples, time, false);
    if (report.rms !== null) this.#events.level(report.rms, at);
    for (const event of report.events) {
      if (event.k === "first") {
        this.#events.first(event.item, at);
      } else if (event.k === "done") {
        this.#items.delete(event.item);
        this.#move(event.item, event.samples, time, true);
        setTimeout(() => this.#finish(event.item, event.samples), Math.max(0, at - performance.now()));
      } else {
        const { id, item, heard, unplayed } = event;
        const { underruns } = report;
        this.#flushes.get(id)?.({ item, heard_ms: toMs(heard), unplayed_ms: toMs(unplayed), underruns, at });
        this.#flushes.delete(id);
      }
    }
    const now = performance.now();
    for (const [item, ms] of this.#playheads(now)) this.#events.heard(item, ms);
    if (report.playing && now - this.#reportedAt >= REPORT_MS) this.#report(report);
    if (!this.busy) leaveVoice(this.#voice);
    this.#events.changed();
  }

  #hold(on: boolean): void {
    if (this.#held === on || this.#closed) return;
    this.#held = on;
    this.#post({ k: "hold", on });
  }

  #move(item: string, samples: number, time: number, over: boolean): void {
    this.#positions.set(item, { samples, time });
    this.#events.progress(item, samples, over);
  }

  #finish(item: string, samples: number): void {
    this.#positions.set(item, { samples, time: null });
    if (this.#last) this.#report(this.#last);
    this.#positions.delete(item);
  }

  /** How much of each item that moves has reached the ear, ms: what was rendered, less what is still on its way. */
  *#playheads(now: number): Iterable<[item: string, ms: number]> {
    for (const [item, { samples, time }] of this.#positions) {
      const onTheWay = time === null ? 0 : Math.max(0, this.#host.pageTime(time) - now);
      yield [item, Math.max(0, toMs(samples) - onTheWay)];
    }
  }

  #report({ buffered, underruns }: PlayerReport): void {
    if (this.#closed) return;
    const now = performance.now();
    this.#reportedAt = now;
    const items = Object.fromEntries(this.#playheads(now));
    this.#events.played({ items, buffered_ms: toMs(buffered), underruns, playing: this.playing });
  }
}
