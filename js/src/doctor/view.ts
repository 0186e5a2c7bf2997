import type { AnyModel } from "@anywidget/types";
import { Channel } from "../channel.ts";
import { Faults } from "../faults.ts";
import { randomId } from "../page.ts";
import { h } from "../ui/dom.ts";
import { fill, pageLabels, seconds } from "../ui/labels.ts";
import { Notes } from "../ui/notes.ts";
import { followTheme } from "../ui/theme.ts";
import {
  CHECKS,
  type Check,
  type DoctorDown,
  type DoctorTraits,
  type DoctorUp,
  type Finding,
} from "./contract.ts";
import { lookAtMicrophone, lookAtPage } from "./devices.ts";
import { judgeBusy, judgeIdle, judgeSubshells } from "./judge.ts";
import { Meter } from "./meter.ts";
import { Row } from "./rows.ts";
import { LISTEN_MS, tryMicrophone, tryOutput } from "./trials.ts";

const MEASURED = ["messages", "busy", "subshells"] as const;
/** Characters of a sentence the kernel takes. */
const LONGEST = 500;
/** The end of the level's scale, RMS in int16 units: that of the service's threshold. */
const FULL = 5000;

/** The doctor's table in an output of the notebook. */
export class DoctorView {
  readonly #controller = new AbortController();

  constructor(model: AnyModel<DoctorTraits>, el: HTMLElement) {
    const { signal } = this.#controller;
    const { lang, labels } = pageLabels(model.get("lang"));
    const words = labels.doctor;
    const notes = new Notes(labels);
    const faults = new Faults((message, stack) => {
      notes.set("error", { level: "error", text: labels.error, fix: message });
      channel.send("error", { message, stack });
    });
    const channel = new Channel<DoctorUp, DoctorDown>(model, randomId(), {
      failed: faults.report,
      lost: () => notes.set("kernel", { level: "error", text: labels.goneText, fix: labels.goneFix }),
    });
    const meter = new Meter(channel, signal);
    const level = h("meter", { min: "0", max: String(FULL), hidden: true });
    level.title = words.level;
    level.setAttribute("aria-label", words.level);
    const listen = button(words.listen, fill(words.listenTitle, { s: seconds(LISTEN_MS, 0) }));
    const tone = button(words.tone, words.toneTitle);
    const again = button(words.again, words.againTitle);
    const tools: Partial<Record<Check, HTMLElement[]>> = {
      microphone: [listen, level],
      output: [tone],
      messages: [again],
    };
    const rows = new Map(
      CHECKS.map((check) => [
        check,
        new Row(labels, check, words.names[check] ?? check, ...(tools[check] ?? [])),
      ]),
    );
    const show = (check: Check, finding: Finding) => {
      if (signal.aborted) return;
      rows.get(check)?.show(finding);
      const { state, text, fix } = finding;
      channel.send("found", { check, state, text: text.slice(0, LONGEST), fix: fix.slice(0, LONGEST) });
    };
    const wait = (check: Check) => rows.get(check)?.show({ state: "open", text: words.looking, fix: "" });

    const measure = async () => {
      for (const check of MEASURED) wait(check);
      show("messages", judgeIdle(await meter.idle(), labels));
      show("busy", judgeBusy(await meter.busy(), labels));
      show("subshells", judgeSubshells(meter.beside, labels));
    };
    const hear = async () => {
      level.hidden = false;
      const finding = await tryMicrophone(labels, (rms) => (level.value = rms), signal);
      level.hidden = true;
      show("microphone", finding);
    };
    const play = async () => show("output", await tryOutput(labels, signal));
    const presses = (control: HTMLButtonElement, work: () => Promise<void>) => {
      const run = () => {
        control.disabled = true;
        work()
          .catch(faults.report)
          .finally(() => (control.disabled = false));
      };
      control.addEventListener("click", run);
      return run;
    };
    presses(listen, hear);
    presses(tone, play);
    const measureNow = presses(again, measure);

    const kernelRows = h("ul", { "aria-label": words.kernelPart });
    const looking = h("p", { class: "sn-hint", role: "status" }, words.looking);
    let measured = false;
    const follow = faults.guard(() => {
      looking.hidden = !model.get("looking");
      // Not beside the kernel's own checks, which keep the machine busy.
      if (!measured && !model.get("looking")) {
        measured = true;
        measureNow();
      }
      const lines = model.get("kernel_rows").map((found) => {
        const row = new Row(labels, found.check, words.names[found.check] ?? found.name);
        row.show(found);
        return row.element;
      });
      kernelRows.replaceChildren(...lines);
    });
    for (const name of ["kernel_rows", "looking"] as const) {
      model.on(`change:${name}`, follow);
      signal.addEventListener("abort", () => model.off(`change:${name}`, follow));
    }
    const root = h(
      "div",
      {
        class: "stepnb-doctor sn-root",
        role: "group",
        "aria-label": words.title,
        lang,
        "data-lm-suppress-shortcuts": "true",
      },
      notes.element,
      h("h3", {}, words.kernelPart),
      kernelRows,
      looking,
      h("h3", {}, words.pagePart),
      h("ul", { "aria-label": words.pagePart }, ...[...rows.values()].map(({ element }) => element)),
    );
    channel.listen(
      {
        pong: (pong) => meter.pong(pong),
        held: (held) => meter.held(held),
        refused: ({ text, fix }) => notes.set("refused", { level: "warning", text, fix }),
      },
      signal,
    );
    window.addEventListener("pagehide", () => this.close(), { signal });
    el.replaceChildren(root);
    followTheme(root, () => {}, signal);
    channel.send("hello", {});
    show("page", lookAtPage(labels));
    show("output", { state: "open", text: words.output.untried[0], fix: words.output.untried[1] });
    wait("microphone");
    lookAtMicrophone(labels)
      .then((finding) => show("microphone", finding))
      .catch(faults.report);
    for (const check of MEASURED) wait(check);
    follow();
  }

  close(): void {
    this.#controller.abort();
  }
}

function button(text: string, title: string): HTMLButtonElement {
  return h("button", { type: "button", class: "sn-button", title }, text);
}
