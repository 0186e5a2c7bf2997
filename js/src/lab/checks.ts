import { h, icon } from "../ui/dom.ts";
import type { Labels } from "../ui/labels.ts";
import type { Check, Verdict } from "./traits.ts";

const MARKS: Record<Verdict, string> = {
  good: "M3.5 8.5l3 3 6-7",
  fair: "M8 3.5v5.5M8 12v.5",
  bad: "M4 4l8 8M12 4l-8 8",
  unknown: "M5.5 6a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.5M8 12v.5",
};

/** The verdicts on the clip, one row per question. */
export class Checks {
  readonly element = h("div", { class: "sn-checks" });
  readonly #labels: Labels;

  constructor(labels: Labels) {
    this.#labels = labels;
  }

  update(checks: readonly Check[], hasClip: boolean): void {
    const words = this.#labels.lab;
    if (!checks.length) {
      this.element.replaceChildren(h("p", { class: "sn-hint" }, hasClip ? words.judging : words.nothing));
      return;
    }
    const rows = checks.map(({ name, figure, verdict, reason, advice }) => {
      const mark = h("td", { "data-verdict": verdict }, words.verdicts[verdict]);
      mark.prepend(icon(MARKS[verdict]));
      return h(
        "tr",
        {},
        mark,
        h("th", { scope: "row" }, words.checks[name] ?? name),
        h("td", { class: "sn-num" }, figure),
        h("td", { class: "sn-advice" }, words.advice[reason] ?? advice),
      );
    });
    this.element.replaceChildren(h("table", {}, h("tbody", {}, ...rows)));
  }
}
