import { h, icon } from "../ui/dom.ts";
import { fill, type Labels } from "../ui/labels.ts";
import type { Cell, Part, Turn } from "./contract.ts";

const PLAY = "M5 3.5v9l7-4.5z";
const RATINGS = [1, 2, 3, 4, 5] as const;
/** Scores shown before the rest is folded. */
const SCORES = 3;

export interface CardEvents {
  play(turn: number): void;
  rate(value: number): void;
  note(text: string): void;
}

/** One run: what was asked, what was answered, how it sounds, its scores, and what a person thinks of it. */
export function card(cell: Cell, labels: Labels, events: CardEvents): HTMLElement[] {
  if (cell.error !== null) return [h("p", { class: "sn-failed" }, `${labels.failedRow}: ${cell.error}`)];
  return [
    ...cell.turns.flatMap((turn, n) => turnOf(turn, labels, () => events.play(n))),
    scores(cell, labels),
    rating(cell, labels, events),
  ];
}

function turnOf(turn: Turn, labels: Labels, play: () => void): HTMLElement[] {
  const { listen } = labels.gallery;
  const button = h("button", { type: "button", class: "sn-ghost sn-hear", tabindex: "-1", title: listen });
  button.setAttribute("aria-label", listen);
  button.append(icon(PLAY));
  button.disabled = !turn.s;
  button.addEventListener("click", play);
  const cut = turn.status === "completed" ? "" : (labels.gallery.status[turn.status] ?? turn.status);
  const facts = [turn.s ? fill(labels.latency, { s: turn.s.toFixed(1) }) : "", cut].filter(Boolean);
  return [
    ...(turn.said ? [h("p", { class: "sn-said" }, turn.said)] : []),
    h("p", { class: "sn-answer" }, ...turn.answer.map(stretch)),
    h("div", { class: "sn-facts sn-num" }, button, h("span", {}, facts.join(" · "))),
  ];
}

function stretch([kind, text]: Part): HTMLElement {
  return h(({ same: "span", gone: "del", new: "ins" } as const)[kind], {}, text);
}

function scores({ scores }: Cell, labels: Labels): HTMLElement {
  const rows = Object.entries(scores).map(([name, value]) =>
    h(
      "span",
      { class: "sn-score" },
      `${name.replaceAll("_", " ").replace(".", ": ")} `,
      h("b", {}, short(value)),
    ),
  );
  const list = h("div", { class: "sn-scores sn-num" }, ...rows.slice(0, SCORES));
  if (rows.length > SCORES) {
    const { more: word, tips } = labels.gallery;
    const more = h("summary", { tabindex: "-1", title: tips.more }, fill(word, { n: rows.length - SCORES }));
    list.append(h("details", {}, more, ...rows.slice(SCORES)));
  }
  return list;
}

/** Three digits that count, as in the tables of Python. */
function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function rating(cell: Cell, labels: Labels, events: CardEvents): HTMLElement {
  const { rate, note, tips } = labels.gallery;
  const buttons = RATINGS.map((value) => {
    const button = h("button", { type: "button", class: "sn-rate", tabindex: "-1" }, String(value));
    button.setAttribute("aria-pressed", String(cell.rating === String(value)));
    button.setAttribute("aria-label", fill(rate, { n: value }));
    button.title = fill(rate, { n: value });
    button.addEventListener("click", () => events.rate(value));
    return button;
  });
  const text = h("input", { type: "text", class: "sn-note-text", maxlength: "2000", tabindex: "-1" });
  text.placeholder = note;
  text.title = tips.note;
  text.setAttribute("aria-label", note);
  text.value = cell.note ?? "";
  text.addEventListener("change", () => events.note(text.value.trim()));
  return h("div", { class: "sn-rating sn-num" }, ...buttons, text);
}
