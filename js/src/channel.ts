import type { AnyModel } from "@anywidget/types";
import type { Down, HandlersOf, Up } from "./envelope.ts";

const VERSION = 1;

/** What it needs of a widget's model, whatever its traits are. */
type Wire = Pick<AnyModel, "send" | "on" | "off">;

export interface ChannelEvents {
  /** A message from the kernel could not be handled. */
  failed(error: unknown): void;
  /** Nothing reaches the kernel any more. */
  lost(): void;
}

/** A view's end of the envelope: numbers what goes up, sorts what comes down, counts what does not fit. */
export class Channel<U = Up, D = Down> {
  /** Messages from the kernel that never came, were of an unknown kind, or could not be handled. */
  gaps = 0;
  unknown = 0;
  readonly view: string;
  readonly #model: Wire;
  readonly #events: ChannelEvents;
  #open = true;
  #sent = 0;
  /** The `seq` of the next message, null before the first: a view may join at any time. */
  #next: number | null = null;

  constructor(model: Wire, view: string, events: ChannelEvents) {
    this.#model = model;
    this.view = view;
    this.#events = events;
  }

  /** Whether messages still reach a kernel. */
  get open(): boolean {
    return this.#open;
  }

  send<K extends keyof U>(kind: K, fields: U[K]): void {
    if (!this.#open) return;
    const { view } = this;
    const message = { v: VERSION, k: kind, seq: this.#sent++, t: performance.now(), view, ...fields };
    try {
      this.#model.send(message);
    } catch {
      // A comm that is closed throws; nothing else here can.
      this.#lose();
    }
  }

  /** Hands messages to `handlers` until `signal` aborts. */
  listen(handlers: HandlersOf<D>, signal: AbortSignal): void {
    const take = (message: unknown) => {
      try {
        this.#dispatch(message, handlers);
      } catch (error) {
        this.#events.failed(error);
      }
    };
    const lose = () => this.#lose();
    const listeners = { "msg:custom": take, "comm:close": lose, comm_live_update: lose };
    for (const [event, listener] of Object.entries(listeners)) {
      this.#model.on(event, listener);
      signal.addEventListener("abort", () => this.#model.off(event as "msg:custom", listener));
    }
  }

  /** The kernel closed the comm or restarted. (`comm_live` starts as true, so that its one change is its end.) */
  #lose(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#events.lost();
  }

  #dispatch(message: unknown, handlers: HandlersOf<D>): void {
    if (!isRecord(message) || message.v !== VERSION || typeof message.k !== "string") {
      this.unknown += 1;
      return;
    }
    const { k: kind, view, seq } = message;
    // Counted before sorting: the page gets the messages to all its views.
    if (typeof seq === "number") {
      if (this.#next !== null && seq > this.#next) this.gaps += seq - this.#next;
      this.#next = seq + 1;
    }
    // `view` is the address of a message, except in `owner`, where it is the news.
    if (kind !== "owner" && typeof view === "string" && view !== this.view) return;
    if (!Object.hasOwn(handlers, kind)) {
      this.unknown += 1;
      return;
    }
    (handlers[kind as keyof D] as (fields: unknown) => void)(message);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
