import type { AnyModel } from "@anywidget/types";
import { decodePcm, encodePcm } from "../audio/base64.ts";
import { Channel } from "../channel.ts";
import { Faults } from "../faults.ts";
import { randomId } from "../page.ts";
import { h } from "../ui/dom.ts";
import { pageLabels } from "../ui/labels.ts";
import { mayBeLocal } from "../ui/ladder.ts";
import { followTheme } from "../ui/theme.ts";
import { Booth } from "./booth.ts";

/** The synced traits of a recorder. */
export interface RecorderTraits {
  /** The text to read; "": one of the page's own. */
  script: string;
  /** How long the recording should be, s. */
  seconds: [number, number];
  /** The part of the recording that is meant, s; [] before there is one. */
  trim: number[];
  /** Whether the kernel offers the microphone of its machine. */
  device: boolean;
  lang: string;
}

export interface RecorderUp {
  hello: Record<never, never>;
  take: { pcm: string };
  file: { name: string; data: string };
  listen: { on: boolean };
  error: { message: string; stack: string };
}

export interface RecorderDown {
  sound: { pcm: string };
  heard: { pcm: string };
  refused: { text: string; fix: string | null };
}

/** A recorder in an output of the notebook. */
export class RecorderView {
  readonly #controller = new AbortController();

  constructor(model: AnyModel<RecorderTraits>, el: HTMLElement) {
    const { signal } = this.#controller;
    const { lang, labels } = pageLabels(model.get("lang"));
    const faults = new Faults((message, stack) => {
      booth.notes.set("error", { level: "error", text: labels.error, fix: message });
      channel.send("error", { message, stack });
    });
    const channel = new Channel<RecorderUp, RecorderDown>(model, randomId(), {
      failed: faults.report,
      lost: () => booth.notes.set("kernel", { level: "error", text: labels.goneText, fix: labels.goneFix }),
    });
    const booth = boothOf(model, channel, labels, faults, signal);
    const root = h(
      "div",
      {
        class: "stepnb-recorder sn-root",
        role: "group",
        "aria-label": labels.recorder.title,
        lang,
        "data-lm-suppress-shortcuts": "true",
      },
      booth.element,
    );
    channel.listen(boothHandlers(booth, model), signal);
    window.addEventListener("pagehide", () => this.close(), { signal });
    el.replaceChildren(root);
    followTheme(root, () => booth.redraw(), signal);
    channel.send("hello", {});
  }

  close(): void {
    this.#controller.abort();
  }
}

/** A booth on a model: its events go to traits and messages. */
export function boothOf<U extends RecorderUp>(
  model: AnyModel<RecorderTraits>,
  channel: Channel<U, RecorderDown>,
  labels: ReturnType<typeof pageLabels>["labels"],
  faults: Faults,
  signal: AbortSignal,
): Booth {
  const [least, most] = model.get("seconds");
  const wire = channel as unknown as Channel<RecorderUp, RecorderDown>;
  const set = (name: "trim" | "script", value: number[] | string) => {
    model.set(name, value as never);
    model.save_changes();
  };
  const offered = model.get("device") && mayBeLocal(window.location);
  const booth = new Booth(
    labels,
    [least * 1000, most * 1000],
    {
      take: (frames) => wire.send("take", { pcm: encodePcm(frames) }),
      file: (name, data) => wire.send("file", { name, data }),
      trim: (start, end) => set("trim", [start, end]),
      script: (text) => set("script", text),
      listen: offered ? (on) => wire.send("listen", { on }) : null,
      error: faults.report,
    },
    signal,
  );
  const text = model.get("script") || labels.recorder.scripts[0] || "";
  booth.script(text);
  if (!model.get("script")) set("script", text);
  const follow = () => booth.script(model.get("script"));
  model.on("change:script", follow);
  signal.addEventListener("abort", () => model.off("change:script", follow));
  return booth;
}

/** What the kernel says to a booth. */
export function boothHandlers(booth: Booth, model: AnyModel<RecorderTraits>) {
  return {
    sound: ({ pcm }: RecorderDown["sound"]) => {
      booth.notes.clear("file");
      const [start, end] = model.get("trim");
      booth.show(decodePcm(pcm), start === undefined || end === undefined ? null : [start, end]);
    },
    heard: ({ pcm }: RecorderDown["heard"]) => booth.source.heard(decodePcm(pcm)),
    refused: ({ text, fix }: RecorderDown["refused"]) => booth.refused(text, fix),
  };
}
