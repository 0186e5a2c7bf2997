import type { AnyModel } from "@anywidget/types";
import { decodePcm } from "../audio/base64.ts";
import { toMs } from "../audio/format.ts";
import { Channel } from "../channel.ts";
import { Faults } from "../faults.ts";
import { randomId } from "../page.ts";
import type { Booth } from "../recorder/booth.ts";
import { Playback } from "../recorder/playback.ts";
import { boothHandlers, boothOf, type RecorderTraits } from "../recorder/view.ts";
import { h, setText } from "../ui/dom.ts";
import { fill, type Labels, pageLabels, seconds } from "../ui/labels.ts";
import { followTheme } from "../ui/theme.ts";
import { Checks } from "./checks.ts";
import { Form } from "./form.ts";
import { quoted, Step } from "./step.ts";
import type { LabDown, LabTraits, LabUp, Work } from "./traits.ts";

/** Characters that a preview takes. */
const PREVIEW = 50;

/** The four steps from a recording to a voice. */
export class LabView {
  readonly #controller = new AbortController();
  readonly #model: AnyModel<LabTraits>;
  readonly #labels: Labels;
  readonly #channel: Channel<LabUp, LabDown>;
  readonly #booth: Booth;
  readonly #checks: Checks;
  readonly #playback: Playback;
  readonly #form: Form;
  readonly #steps: Record<"record" | "check" | "preview" | "create", Step>;
  readonly #text: HTMLInputElement;
  readonly #hear: HTMLButtonElement;
  readonly #heard = h("span", { class: "sn-line sn-num", role: "status" });
  readonly #made = h("p", { class: "sn-made", role: "status" });
  readonly #use: HTMLButtonElement;
  #preview: Int16Array<ArrayBuffer> | null = null;

  constructor(model: AnyModel<LabTraits>, el: HTMLElement) {
    const { signal } = this.#controller;
    const { lang, labels } = pageLabels(model.get("lang"));
    const words = labels.lab;
    this.#model = model;
    this.#labels = labels;
    const faults = new Faults((message, stack) => {
      this.#booth.notes.set("error", { level: "error", text: labels.error, fix: message });
      this.#channel.send("error", { message, stack });
    });
    const { guard } = faults;
    this.#channel = new Channel<LabUp, LabDown>(model, randomId(), {
      failed: faults.report,
      lost: guard(() => this.#lose()),
    });
    // A lab is a recorder, and its model is one with more traits.
    const recorder = model as unknown as AnyModel<RecorderTraits>;
    this.#booth = boothOf(recorder, this.#channel, labels, faults, signal);
    this.#checks = new Checks(labels);
    this.#playback = new Playback(() => this.#update(), signal);
    this.#text = h("input", { type: "text", maxlength: String(PREVIEW), "aria-label": words.previewText });
    this.#text.title = words.tips.previewText;
    this.#text.value = words.previewSample;
    this.#text.addEventListener(
      "input",
      guard(() => this.#update()),
    );
    this.#hear = this.#button(
      words.hear,
      words.tips.hear,
      guard(() => this.#hearPreview()),
    );
    this.#form = new Form(
      labels,
      guard(() => this.#update()),
      guard((wish) => {
        this.#steps.create.notes.clear("failed");
        this.#channel.send("clone", wish);
      }),
    );
    this.#use = this.#button(
      words.use,
      words.tips.use,
      guard(() => this.#channel.send("converse", {})),
    );
    this.#steps = {
      record: new Step(labels, 1, words.steps.record, this.#booth.element),
      check: new Step(labels, 2, words.steps.check, this.#checks.element),
      preview: new Step(
        labels,
        3,
        words.steps.preview,
        h("div", { class: "sn-dockrow" }, this.#text, this.#hear, this.#heard),
      ),
      create: new Step(
        labels,
        4,
        words.steps.create,
        this.#form.element,
        h("div", { class: "sn-dockrow" }, this.#made, this.#use),
      ),
    };
    const root = h("div", {
      class: "stepnb-lab sn-root",
      role: "group",
      "aria-label": words.title,
      lang,
      "data-lm-suppress-shortcuts": "true",
    });
    root.append(...Object.values(this.#steps).map(({ element }) => element));
    const sound = boothHandlers(this.#booth, recorder);
    this.#channel.listen(
      {
        ...sound,
        preview: ({ pcm }) => this.#take(decodePcm(pcm)),
        failed: ({ step, text, fix }) => this.#fail(step, text, fix),
      },
      signal,
    );
    const update = guard(() => this.#update());
    model.on("change", update);
    const said = guard(() => this.#form.say(model.get("recorded") ? model.get("script") : ""));
    model.on("change:recorded", said);
    model.on("change:script", said);
    signal.addEventListener("abort", () => {
      model.off("change", update);
      model.off("change:recorded", said);
      model.off("change:script", said);
    });
    window.addEventListener("pagehide", () => this.close(), { signal });
    el.replaceChildren(root);
    followTheme(root, () => this.#booth.redraw(), signal);
    said();
    this.#channel.send("hello", {});
  }

  close(): void {
    this.#controller.abort();
  }

  #hearPreview(): void {
    if (this.#playback.playing) {
      this.#playback.stop();
      return;
    }
    this.#steps.preview.notes.clear("failed");
    this.#channel.send("preview", { text: this.#text.value.trim(), said: this.#form.said });
  }

  #take(pcm: Int16Array<ArrayBuffer>): void {
    this.#preview = pcm;
    this.#playback.play(pcm);
    this.#update();
  }

  #fail(step: Work, text: string, fix: string): void {
    const where = step === "preview" ? this.#steps.preview : this.#steps.create;
    where.notes.set("failed", { level: "error", text, fix });
  }

  #update(): void {
    const words = this.#labels.lab;
    const [busy, made] = [this.#model.get("busy"), this.#model.get("made")];
    const hasClip = this.#model.get("trim").length === 2;
    this.#checks.update(hasClip ? this.#model.get("checks") : [], hasClip);
    const idle = hasClip && busy === "" && this.#channel.open;
    const playing = this.#playback.playing;
    setText(this.#hear, playing ? words.stop : busy === "preview" ? words.hearing : words.hear);
    this.#hear.disabled = !playing && (!idle || !this.#text.value.trim());
    const length = this.#preview ? fill(words.heard, { s: seconds(toMs(this.#preview.length)) }) : "";
    setText(this.#heard, busy === "preview" ? "" : length);
    this.#form.price(this.#model.get("price"), this.#model.get("free"));
    this.#form.update(!idle, busy === "clone");
    setText(this.#made, made.id ? fill(words.made, { name: made.name || made.id, id: made.id }) : "");
    this.#use.hidden = !made.id;
    this.#use.disabled = busy !== "";
    setText(this.#use, busy === "converse" ? words.opening : words.use);
    const { said, consent } = this.#form.wish;
    this.#steps.record.code("clip = lab.clip");
    this.#steps.check.code("clip.quality()");
    this.#steps.preview.code(`lab.voices.preview(clip, ${quoted(this.#text.value.trim())})`);
    const given = said ? `${quoted(said)}, ` : "";
    this.#steps.create.code(
      `voice = lab.voices.clone(clip, ${given}consent=${quoted(consent || "…")}, accept_cost=True); sn.Session(voice=voice)`,
    );
  }

  #lose(): void {
    const { goneText, goneFix } = this.#labels;
    this.#booth.notes.set("kernel", { level: "error", text: goneText, fix: goneFix });
    this.#update();
  }

  #button(label: string, title: string, pressed: () => void): HTMLButtonElement {
    const button = h("button", { type: "button", class: "sn-button", title }, label);
    button.addEventListener("click", pressed);
    return button;
  }
}
