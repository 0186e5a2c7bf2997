import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Transport } from "../../src/compare/transport.ts";

/** A media element that plays as the test says. */
class FakeAudio extends EventTarget {
  static last: FakeAudio;
  currentTime = 0;
  duration = Number.NaN;
  src = "";
  readonly play = vi.fn(() => Promise.resolve());
  readonly pause = vi.fn();

  constructor() {
    super();
    FakeAudio.last = this;
  }

  load(duration: number): void {
    this.duration = duration;
    this.currentTime = 0;
    this.dispatchEvent(new Event("loadedmetadata"));
  }
}

const WAV = btoa("RIFF");

describe("the transport", () => {
  const controller = new AbortController();
  const asked: string[] = [];
  let transport: Transport;
  let audio: FakeAudio;

  beforeEach(() => {
    vi.stubGlobal("Audio", FakeAudio);
    let url = 0;
    vi.spyOn(URL, "createObjectURL").mockImplementation(() => `blob:${url++}`);
    vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => {});
    asked.length = 0;
    transport = new Transport(
      (cell) => asked.push(cell),
      () => {},
      controller.signal,
    );
    audio = FakeAudio.last;
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("asks for a sound once", () => {
    transport.play("1", "row 0");
    transport.take("1", WAV);
    audio.load(2);
    transport.pause();
    transport.play("1", "row 0");
    expect(asked).toEqual(["1"]);
    expect(audio.play).toHaveBeenCalledTimes(2);
  });

  it("goes on at the same share of another sound in the row, and at the beginning of another row", () => {
    transport.play("1", "row 0");
    transport.take("1", WAV);
    audio.load(2);
    audio.currentTime = 1;
    transport.play("2", "row 0");
    transport.take("2", WAV);
    audio.load(4);
    expect(audio.currentTime).toBe(2);
    transport.play("3", "row 1");
    transport.take("3", WAV);
    audio.load(4);
    expect(audio.currentTime).toBe(0);
  });

  it("does not take the end of the last sound for a place in the next, while that is on its way", () => {
    transport.play("1", "row 0");
    transport.take("1", WAV);
    audio.load(2);
    audio.currentTime = 2;
    audio.dispatchEvent(new Event("ended"));
    transport.play("a", "trial");
    expect(transport.share).toBe(0);
    transport.take("a", WAV);
    expect(transport.share).toBe(0);
    audio.load(3);
    expect(audio.currentTime).toBe(0);
  });

  it("plays nothing that came after something else was chosen, and stops where there is nothing", () => {
    transport.play("1", "row 0");
    transport.play("2", "row 0");
    transport.take("1", WAV);
    expect(audio.play).not.toHaveBeenCalled();
    transport.take("2", null);
    expect(transport.playing).toBe(false);
  });
});
