import { afterEach, describe, expect, it, vi } from "vitest";
import { DEFAULTS, loadDevices, saveDevices } from "../../src/audio/devices.ts";

function storage(initial: Record<string, string> = {}): Map<string, string> {
  const stored = new Map(Object.entries(initial));
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  });
  return stored;
}

describe("device settings", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("are remembered", () => {
    storage();
    expect(loadDevices()).toEqual(DEFAULTS);
    const chosen = { ...DEFAULTS, input: "usb", volume: 0.5, echoCancellation: false };
    saveDevices(chosen);
    expect(loadDevices()).toEqual(chosen);
  });

  it.each(["", "{", "null", "[1]", '"x"'])("are the usual ones when the storage holds %j", (text) => {
    storage({ "stepnb.devices": text });
    expect(loadDevices()).toEqual(DEFAULTS);
  });

  it("leave out what does not fit", () => {
    storage({
      "stepnb.devices": JSON.stringify({ input: 3, volume: 7, halfDuplex: true, __proto__: 1, more: 1 }),
    });
    expect(loadDevices()).toEqual({ ...DEFAULTS, volume: 1, halfDuplex: true });
  });

  it("work where the page may not store anything", () => {
    vi.stubGlobal("localStorage", undefined);
    saveDevices(DEFAULTS);
    expect(loadDevices()).toEqual(DEFAULTS);
  });
});
