import { describe, expect, it, vi } from "vitest";
import { TabModel } from "../src/companion/model.ts";
import type { Traits } from "../src/envelope.ts";

const TRAITS = {
  status: { state: "ready", detail: "", since: 0 },
  info: { model: "m", rungs: ["companion"] },
  lang: "",
  min_speech_ms: 0,
} as unknown as Traits;

describe("the model of a companion tab", () => {
  it("tells of what changed, and offers no further tab", () => {
    const model = new TabModel(TRAITS, () => {});
    const changed = vi.fn();
    model.on("change:info", changed);
    expect(model.get("info").rungs).toEqual([]);
    model.take({ state: { info: { ...TRAITS.info, model: "n" } } });
    expect(changed).toHaveBeenCalledOnce();
    expect(model.get("info")).toEqual({ model: "n", rungs: [] });
    model.off("change:info", changed);
    model.take({ state: { info: TRAITS.info } });
    expect(changed).toHaveBeenCalledOnce();
  });

  it("sends what was set, once, and messages as they are", () => {
    const sent: object[] = [];
    const model = new TabModel(TRAITS, (message) => sent.push(message));
    model.set("min_speech_ms", 200);
    model.save_changes();
    model.save_changes();
    model.send({ k: "stop" });
    expect(sent).toEqual([{ set: { min_speech_ms: 200 } }, { k: "stop" }]);
  });

  it("hands the envelope on", () => {
    const model = new TabModel(TRAITS, () => {});
    const got: object[] = [];
    model.on("msg:custom", (message: object) => got.push(message));
    model.take({ k: "pong" } as object);
    expect(got).toEqual([{ k: "pong" }]);
  });
});
