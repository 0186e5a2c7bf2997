import { describe, expect, it, vi } from "vitest";
import { leaveVoice, queueVoice, randomId, releaseMicrophone, takeMicrophone } from "../src/page.ts";

describe("the page's microphone", () => {
  it("has one owner: the one before yields", () => {
    const [first, second] = [{ yieldMicrophone: vi.fn() }, { yieldMicrophone: vi.fn() }];
    takeMicrophone(first);
    takeMicrophone(first);
    expect(first.yieldMicrophone).not.toHaveBeenCalled();
    takeMicrophone(second);
    expect(first.yieldMicrophone).toHaveBeenCalledTimes(1);
    releaseMicrophone(first);
    takeMicrophone(first);
    expect(second.yieldMicrophone).toHaveBeenCalledTimes(1);
    releaseMicrophone(first);
    takeMicrophone(second);
    expect(first.yieldMicrophone).toHaveBeenCalledTimes(1);
  });

  it("is shared by copies of the module", async () => {
    const first = { yieldMicrophone: vi.fn() };
    takeMicrophone(first);
    vi.resetModules();
    const copy = await import("../src/page.ts");
    expect(copy.takeMicrophone).not.toBe(takeMicrophone);
    copy.takeMicrophone({ yieldMicrophone: vi.fn() });
    expect(first.yieldMicrophone).toHaveBeenCalledTimes(1);
  });
});

it("lets one voice speak at a time, in turn", () => {
  const [first, second, third] = [{ speak: vi.fn() }, { speak: vi.fn() }, { speak: vi.fn() }];
  queueVoice(first);
  queueVoice(second);
  queueVoice(third);
  queueVoice(first);
  expect([first, second, third].map(({ speak }) => speak.mock.calls.length)).toEqual([1, 0, 0]);
  leaveVoice(second);
  leaveVoice(first);
  leaveVoice(first);
  expect([first, second, third].map(({ speak }) => speak.mock.calls.length)).toEqual([1, 0, 1]);
  leaveVoice(third);
});

it("makes ids that differ", () => {
  expect(new Set(Array.from({ length: 1000 }, randomId)).size).toBe(1000);
});
