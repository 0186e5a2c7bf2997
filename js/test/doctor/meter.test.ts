import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Channel } from "../../src/channel.ts";
import type { DoctorDown, DoctorUp } from "../../src/doctor/contract.ts";
import { Meter, within } from "../../src/doctor/meter.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A kernel that answers a ping after `delay()` ms (null: never), and holds for a second when it `can`. */
function kernel({ delay = () => 5 as number | null, can = true }) {
  const controller = new AbortController();
  const sent: string[] = [];
  const channel = {
    send(kind: string) {
      sent.push(kind);
      const after = delay();
      if (kind === "ping" && after !== null) setTimeout(() => meter.pong({ echo: 0, beside: true }), after);
      if (kind === "hold" && can) {
        meter.held({ on: true });
        setTimeout(() => meter.held({ on: false }), 1000);
      } else if (kind === "hold") meter.held({ on: null });
    },
  } as unknown as Channel<DoctorUp, DoctorDown>;
  const meter: Meter = new Meter(channel, controller.signal);
  return { meter, sent, controller };
}

async function settled<T>(promise: Promise<T>): Promise<T> {
  await vi.runAllTimersAsync();
  return await promise;
}

describe("the meter", () => {
  it("measures twenty round trips, one after the other", async () => {
    const { meter, sent } = kernel({});
    expect(await settled(meter.idle())).toEqual({ times: new Array(20).fill(5), lost: false });
    expect(sent.length).toBe(20);
    expect(meter.beside).toBe(true);
  });

  it("gives a kernel up that does not answer", async () => {
    const { meter, sent } = kernel({ delay: () => null });
    expect(await settled(meter.idle())).toEqual({ times: [], lost: true });
    expect(sent).toEqual(["ping"]);
  });

  it("measures as long as the kernel is kept busy", async () => {
    const quick = kernel({});
    expect((await settled(quick.meter.busy()))?.times.length).toBe(20);
    // Held back, the first answer comes when it is over.
    const slow = kernel({ delay: () => 1100 });
    expect(await settled(slow.meter.busy())).toEqual({ times: [1100], lost: false });
    expect(await settled(kernel({ can: false }).meter.busy())).toBeNull();
  });

  it("ends with its view", async () => {
    const { meter, controller } = kernel({ delay: () => null });
    const measured = meter.idle();
    controller.abort();
    expect(await measured).toEqual({ times: [], lost: true });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits no longer than it is told", async () => {
    const never = within(100, new AbortController().signal, () => {});
    expect(await settled(never)).toBeNull();
    expect(await within(100, new AbortController().signal, (resolve) => resolve(7))).toBe(7);
    expect(await within(100, AbortSignal.abort(), () => {})).toBeNull();
  });
});
