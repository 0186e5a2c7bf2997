import { toSamples } from "./format.ts";
import { Reserve } from "./reserve.ts";

/** Edges of items are faded, so that no cut clicks. */
export const FADE_MS = 12;
/** Ids of items that are over, kept to recognise their late audio. */
const CLOSED_IDS = 64;

/** What happened in a block: the first sample of an item, its last one, or the end of a flush. */
export type PlayerEvent =
  | { k: "first"; item: string }
  | { k: "done"; item: string; samples: number }
  | { k: "flushed"; id: number; item: string | null; heard: number; unplayed: number };

interface Track {
  item: string;
  chunks: Float32Array[];
  /** Samples of `chunks[0]` already rendered. */
  offset: number;
  left: number;
  rendered: number;
  started: boolean;
  /** When its first piece came, and how many samples have come since; `#clock` counts both. */
  begun: number;
  came: number;
  /** Samples it would have taken at the start, as far as is known. */
  need: number;
  ended: boolean;
  dry: boolean;
}

/**
 * The jitter buffer: items of 24 kHz speech in, one gapless signal out. Pure: no clock and no audio node.
 *
 * Every sample that was pushed is rendered exactly once, unless `flush` drops it. An item starts when enough of it
 * is buffered or when it is complete, and again so after it ran dry.
 */
export class Player {
  underruns = 0;
  /** Samples that came for items already over. */
  late = 0;
  /** Nothing new starts; what plays goes on. */
  held = false;
  #tracks: Track[] = [];
  #closed: string[] = [];
  #gain = 0;
  #fade = toSamples(FADE_MS);
  #flushes: { id: number; item: string | null; unplayed: number }[] = [];
  #events: PlayerEvent[] = [];
  readonly #reserve = new Reserve();
  /** Samples rendered, silence included. */
  #clock = 0;

  /** Samples waiting to be rendered. */
  get buffered(): number {
    return this.#tracks.reduce((sum, track) => sum + track.left, 0);
  }

  /** Whether sound comes out of the next block. */
  get playing(): boolean {
    const track = this.#tracks[0];
    return track?.started === true && !track.dry;
  }

  /** The item being played and how many of its samples were rendered. */
  get position(): { item: string; samples: number } | null {
    const track = this.#tracks[0];
    return track?.rendered ? { item: track.item, samples: track.rendered } : null;
  }

  push(item: string, samples: Float32Array): void {
    if (samples.length === 0) return;
    if (this.#closed.includes(item)) {
      this.late += samples.length;
      return;
    }
    let track = this.#tracks.find((candidate) => candidate.item === item);
    if (!track) {
      // Items follow one another: a new one ends those before it, should an `end` have been lost.
      for (const earlier of this.#tracks) earlier.ended = true;
      track = {
        item,
        chunks: [],
        offset: 0,
        left: 0,
        rendered: 0,
        begun: this.#clock,
        came: 0,
        need: 0,
        started: false,
        ended: false,
        dry: false,
      };
      this.#tracks.push(track);
    }
    // How late this piece is, had all of it come in time. Pieces are counted in: what comes with the last one is no reserve.
    const late = this.#clock - track.begun - track.came;
    if (track.came) track.need = Math.max(track.need, late + samples.length);
    track.came += samples.length;
    this.#reserve.needed(track.need);
    if (track.dry) {
      this.underruns += 1;
      this.#reserve.ranDry(track.need, samples.length);
    }
    track.dry = false;
    track.chunks.push(samples);
    track.left += samples.length;
  }

  end(item: string): void {
    const track = this.#tracks.find((candidate) => candidate.item === item);
    if (track) track.ended = true;
  }

  /** Fades what is playing and drops everything else; a `flushed` event follows, at once when nothing plays. */
  flush(id: number, fadeMs: number = FADE_MS): void {
    const [head] = this.#tracks;
    const fading = this.#flushes.length > 0 && !this.#tracks[1];
    this.#flushes.push({ id, item: fading ? null : (head?.item ?? null), unplayed: 0 });
    if (fading) return;
    const before = this.buffered;
    for (const track of this.#tracks) this.#close(track.item);
    if (head && this.playing) {
      this.#fade = Math.max(1, toSamples(fadeMs));
      truncate(head, Math.min(head.left, Math.ceil(this.#gain * this.#fade)));
      head.ended = true;
      this.#tracks = [head];
    } else {
      this.#tracks = [];
    }
    (this.#flushes.at(-1) as { unplayed: number }).unplayed = before - this.buffered;
    if (!this.playing) this.#finishFlush(head?.item ?? null, head?.rendered ?? 0);
  }

  /** Fills `output` with the next samples, silence where there are none. */
  render(output: Float32Array): void {
    output.fill(0);
    this.#clock += output.length;
    let filled = 0;
    while (filled < output.length) {
      const track = this.#tracks[0];
      if (!track || !this.#ready(track)) break;
      if (track.left > 0) {
        filled += this.#copy(track, output.subarray(filled));
      } else if (track.ended) {
        this.#finish(track);
      } else {
        track.dry = true;
        track.started = false;
      }
    }
  }

  /** What happened since the last call. */
  takeEvents(): PlayerEvent[] {
    return this.#events.splice(0);
  }

  #ready(track: Track): boolean {
    if (track.started) return true;
    if (track.left === 0) return track.ended;
    if (this.held) return false;
    if (track.ended) return true;
    return track.left >= this.#reserve.samples;
  }

  #copy(track: Track, output: Float32Array): number {
    if (!track.rendered) this.#events.push({ k: "first", item: track.item });
    track.started = true;
    const chunk = track.chunks[0] as Float32Array;
    const count = Math.min(output.length, chunk.length - track.offset);
    for (let i = 0; i < count; i++) {
      output[i] = (chunk[track.offset + i] as number) * this.#slew(track.left - i);
    }
    track.left -= count;
    track.rendered += count;
    track.offset += count;
    this.#reserve.lasted(count);
    if (track.offset === chunk.length) {
      track.chunks.shift();
      track.offset = 0;
    }
    return count;
  }

  /** The gain for a sample with `left` samples to go: 0 is reached exactly when there are no more of them. */
  #slew(left: number): number {
    const step = 1 / this.#fade;
    this.#gain = Math.min(this.#gain + step, 1, Math.max(0, (left - 1) * step));
    return this.#gain;
  }

  #finish(track: Track): void {
    this.#tracks.shift();
    this.#close(track.item);
    this.#gain = 0;
    if (track.rendered) this.#events.push({ k: "done", item: track.item, samples: track.rendered });
    this.#finishFlush(track.item, track.rendered);
  }

  #finishFlush(item: string | null, heard: number): void {
    for (const flush of this.#flushes.splice(0)) {
      this.#events.push({ k: "flushed", ...flush, heard: flush.item === item ? heard : 0 });
    }
    this.#fade = toSamples(FADE_MS);
  }

  #close(item: string): void {
    if (!this.#closed.includes(item)) this.#closed.push(item);
    if (this.#closed.length > CLOSED_IDS) this.#closed.shift();
  }
}

/** Drops all but the next `keep` samples of a track. */
function truncate(track: Track, keep: number): void {
  const chunks: Float32Array[] = [];
  let room = keep;
  let skip = track.offset;
  for (const chunk of track.chunks) {
    if (room === 0) break;
    const part = chunk.subarray(skip, skip + room);
    chunks.push(part);
    room -= part.length;
    skip = 0;
  }
  track.chunks = chunks;
  track.offset = 0;
  track.left = keep;
}
