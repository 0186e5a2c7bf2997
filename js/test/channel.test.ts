import type { AnyModel } from "@anywidget/types";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Channel } from "../src/channel.ts";
import type { Handlers, Traits } from "../src/envelope.ts";

let listeners: { event: string; listener: (message?: unknown) => void }[];
let lost: number;
let sent: Record<string, unknown>[];
let failed: unknown[];
let channel: Channel;
let handlers: Record<keyof Handlers, ReturnType<typeof vi.fn>>;
let closing: AbortController;

beforeEach(() => {
  listeners = [];
  sent = [];
  failed = [];
  const model = {
    send: (message: Record<string, unknown>) => {
      if (message.text === "throw") throw new Error("Comm is closed");
      sent.push(message);
    },
    on: (event: string, listener: () => void) => listeners.push({ event, listener }),
    off: (event: string, listener: unknown) => {
      listeners = listeners.filter((other) => other.event !== event || other.listener !== listener);
    },
  };
  lost = 0;
  channel = new Channel(model as unknown as AnyModel<Traits>, "me", {
    failed: (error) => failed.push(error),
    lost: () => {
      lost += 1;
    },
  });
  handlers = { ack: vi.fn(), owner: vi.fn(), row: vi.fn() } as unknown as typeof handlers;
  closing = new AbortController();
  channel.listen(handlers as unknown as Handlers, closing.signal);
});

const trigger = (event: string, message?: unknown) => {
  for (const entry of listeners) if (entry.event === event) entry.listener(message);
};
const down = (message: unknown) => trigger("msg:custom", message);

describe("Channel", () => {
  it("numbers and stamps what goes up", () => {
    channel.send("stop", {});
    channel.send("say", { text: "hi" });
    expect(sent).toMatchObject([
      { v: 1, k: "stop", seq: 0, view: "me" },
      { v: 1, k: "say", seq: 1, view: "me", text: "hi" },
    ]);
    expect(sent[0]?.t).toEqual(expect.any(Number));
  });

  it("takes what is for all or for this view, and leaves what is for another", () => {
    down({ v: 1, k: "ack", seq: 7, view: "me", n: 1 });
    down({ v: 1, k: "ack", seq: 8, view: "other", n: 2 });
    down({ v: 1, k: "row", seq: 9, row: {} });
    down({ v: 1, k: "owner", seq: 10, view: "other" });
    expect(handlers.ack).toHaveBeenCalledTimes(1);
    expect(handlers.row).toHaveBeenCalledTimes(1);
    expect(handlers.owner).toHaveBeenCalledTimes(1);
    expect(channel.gaps).toBe(0);
  });

  it("counts gaps, unknown kinds and other versions", () => {
    down({ v: 1, k: "row", seq: 4 });
    down({ v: 1, k: "row", seq: 7 });
    down({ v: 1, k: "ack", seq: 9, view: "me" });
    expect(channel.gaps).toBe(3);
    down({ v: 1, k: "toString", seq: 10 });
    down({ v: 2, k: "row", seq: 11 });
    down("nonsense");
    down(null);
    expect(channel.unknown).toBe(4);
    expect(handlers.row).toHaveBeenCalledTimes(2);
  });

  it("reports what a handler throws, and goes on", () => {
    handlers.row.mockImplementationOnce(() => {
      throw new Error("bad row");
    });
    down({ v: 1, k: "row", seq: 0 });
    down({ v: 1, k: "row", seq: 1 });
    expect(failed).toEqual([new Error("bad row")]);
    expect(handlers.row).toHaveBeenCalledTimes(2);
  });

  it.each(["comm:close", "comm_live_update"])("is lost with %s, once, and sends nothing more", (event) => {
    trigger(event);
    trigger(event);
    channel.send("stop", {});
    expect(lost).toBe(1);
    expect(channel.open).toBe(false);
    expect(sent).toEqual([]);
  });

  it("is lost when the comm refuses a message", () => {
    channel.send("say", { text: "throw" });
    expect(lost).toBe(1);
    expect(channel.open).toBe(false);
  });

  it("hears nothing after its view has gone", () => {
    closing.abort();
    expect(listeners).toEqual([]);
  });
});
