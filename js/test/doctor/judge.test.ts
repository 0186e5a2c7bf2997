import { describe, expect, it } from "vitest";
import { judgeBusy, judgeIdle, judgeMicrophone, judgeSubshells, quantile } from "../../src/doctor/judge.ts";
import { labelsOf } from "../../src/ui/labels.ts";

const { labels } = labelsOf(["en"]);
const { labels: zh } = labelsOf(["zh"]);
const quick = { times: [4, 5, 6, 5, 12], lost: false };

describe("the doctor", () => {
  it("takes quantiles of unsorted figures, and none of none", () => {
    expect(quantile([9, 1, 5], 0.5)).toBe(5);
    expect(quantile([9, 1, 5], 0.95)).toBe(9);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it("tells a quick kernel from a slow one and from none", () => {
    expect(judgeIdle(quick, labels)).toEqual({
      state: "ok",
      text: "to the kernel and back: p50 5 ms, p95 12 ms",
      fix: "",
    });
    expect(judgeIdle({ times: [10, 400, 500], lost: false }, labels).state).toBe("note");
    for (const measured of [
      { times: [4, 5], lost: true },
      { times: [], lost: false },
    ]) {
      expect(judgeIdle(measured, labels)).toMatchObject({
        state: "fails",
        text: "The kernel did not answer.",
      });
    }
  });

  it("tells whether a busy cell holds messages back", () => {
    expect(judgeBusy(quick, labels).state).toBe("ok");
    expect(judgeBusy({ times: [990], lost: false }, labels)).toMatchObject({ state: "note" });
    expect(judgeBusy({ times: [], lost: true }, labels).fix).toContain("ipykernel>=7.4");
    expect(judgeBusy(null, labels).state).toBe("open");
  });

  it("says whether messages come beside the cells", () => {
    expect(judgeSubshells(true, labels)).toMatchObject({ state: "ok", fix: "" });
    expect(judgeSubshells(false, zh)).toMatchObject({
      state: "note",
      fix: expect.stringContaining("JupyterLab"),
    });
  });

  it("tells a voice from a faint one and from a muted microphone", () => {
    expect(judgeMicrophone({ label: "USB", loudest: 3277 }, labels)).toEqual({
      state: "ok",
      text: "USB heard you, -20 dBFS at the loudest",
      fix: "",
    });
    expect(judgeMicrophone({ label: "USB", loudest: 100 }, labels).state).toBe("note");
    expect(judgeMicrophone({ label: "USB", loudest: 0 }, zh).text).toBe("USB 没有听到声音。");
  });
});
