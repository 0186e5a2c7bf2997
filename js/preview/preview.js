// Mounts the built panel on a stand-in for the kernel, to look at it without one. Build first, then serve the
// repository's root: `python -m http.server 8000` and open /js/preview/?theme=dark&scene=interrupted&width=360
// Themes: light dark jp-light jp-dark. Scenes: below. `lang=zh` for Chinese.
import createWidget from "../../stepnb/widgets/static/panel.js";

const query = new URLSearchParams(location.search);
document.body.dataset.theme = query.get("theme") ?? "light";
document.documentElement.lang = query.get("lang") ?? "en";
const scene = query.get("scene") ?? "ready";
const mount = document.querySelector("#panel");
if (query.has("width")) mount.style.width = `${query.get("width")}px`;

/** The model of a widget, with a kernel that answers what has to be answered. */
class Model {
  sent = [];
  #listeners = new Map();
  #seq = 0;
  #state = {
    status: { state: "ready", detail: "", since: 0 },
    lang: "",
    min_speech_ms: 0,
    info: {
      model: "stepaudio-2.5-realtime",
      voice: "linjiajiejie",
      where: "local engine",
      vad: { prefix_padding_ms: 500, silence_duration_ms: 500, energy_awakeness_threshold: 2500 },
      rungs: ["companion", "device"],
      notes: [
        "A practice engine: it knows a phrase book and does not reason.",
        "It recognises English only; spoken Mandarin is not recognised offline.",
        "A real accent does worse than the published figures.",
      ],
    },
  };

  get = (name) => this.#state[name];

  set = (name, value) => {
    this.#state[name] = value;
    for (const listener of this.#listeners.get(`change:${name}`) ?? []) listener();
  };

  on = (name, listener) => {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  };

  save_changes = () => {};

  off = (name, listener) => {
    const left = (this.#listeners.get(name) ?? []).filter((other) => other !== listener);
    this.#listeners.set(name, left);
  };

  send = (message) => {
    this.sent.push(message);
    const { k, view, t } = message;
    if (k === "hello")
      this.down("welcome", { rows: rows[scene] ?? rows.ready, owner: null, place: null }, view);
    if (k === "ping") setTimeout(() => this.down("pong", { echo: t, kernel: t + 1000 }, view), 4);
    if (k === "mic" && !this.stalled) this.down("ack", { n: message.n + message.frames - 1 }, view);
  };

  trigger = (name) => {
    for (const listener of this.#listeners.get(name) ?? []) listener();
  };

  down = (k, fields, view) => {
    const message = { v: 1, k, seq: this.#seq++, t: performance.now(), ...(view && { view }), ...fields };
    for (const listener of this.#listeners.get("msg:custom") ?? []) listener(message, []);
  };

  /** Says `ms` of a tone, in pieces of 100 ms, all at once as a burst. */
  tone = (item, ms, hz = 440) => {
    const samples = Int16Array.from(
      { length: ms * 24 },
      (_, i) => 8000 * Math.sin((2 * Math.PI * hz * i) / 24000),
    );
    for (let i = 0; i < samples.length; i += 2400) {
      const bytes = new Uint8Array(samples.slice(i, i + 2400).buffer);
      this.down("audio", { item, pcm: btoa(String.fromCharCode(...bytes)) });
    }
    this.down("audio_end", { item });
  };
}

let order = 0;
const row = (who, text, more = {}) => ({
  id: `row-${order}`,
  order: order++,
  who,
  text,
  state: "done",
  heard: null,
  cut_ms: null,
  latency_ms: null,
  duration_ms: null,
  note: null,
  spoken: [],
  tools: [],
  thinking: "",
  finish: null,
  usage: null,
  cost: null,
  wave: null,
  ...more,
});
const question = row("you", "What is the weather in Paris, and should I take an umbrella?");
const answer =
  "It is 21 degrees and dry in Paris until the evening, so you can leave the umbrella at home. " +
  "Tomorrow looks different: showers from noon, with gusts near the river.";
const cut = { state: "interrupted", heard: 80, cut_ms: 4100, latency_ms: 620, duration_ms: 9300 };
const wave = Array.from({ length: 32 }, (_, i) => Math.round(50 + 45 * Math.sin(i) * Math.cos(i / 5)));
const call = { call: "c", name: "get_weather", arguments: '{"city":"Paris"}', output: null, ms: null };
const heard = { latency_ms: 620, duration_ms: 9300, wave };
const talk = [question, row("step", answer, heard)];
const rows = {
  ready: [],
  talk,
  interrupted: [question, row("step", answer, cut), row("you", "Wait, and in Lyon?", { state: "live" })],
  calls: [
    question,
    row("step", answer, {
      ...heard,
      thinking: "The person asks for the weather, so the tool is wanted.",
      usage: { input: 312, output: 96, estimated: true },
      cost: { amount: 0.0071, currency: "CNY", estimated: true },
      tools: [{ ...call, output: "21 °C, dry", status: "completed", ms: 38 }],
    }),
    row("you", "And in Lyon?"),
    row("step", "Let me see.", { state: "live", tools: [{ ...call, status: "awaiting approval" }] }),
  ],
  long: Array.from({ length: 20 }, (_, i) =>
    row(i % 2 ? "step" : "you", i % 2 ? answer : question.text, {
      latency_ms: i % 2 ? 600 + 10 * i : null,
    }),
  ),
  failed: [question, row("step", "", { state: "failed", note: "the connection was lost" })],
  chinese: [
    row("you", "今天巴黎天气怎么样？要带伞吗？"),
    row("step", "巴黎今天二十一度，傍晚之前都是晴天，不用带伞。", { latency_ms: 540 }),
  ],
};
rows.speaking = rows.listening = rows.denied = rows.gone = rows.lag = talk;

const model = new Model();
window.preview = { model };
window.preview.close = await createWidget().render({ model, el: mount });

const status = (state, detail = "") => model.set("status", { state, detail, since: 0 });
const scenes = {
  speaking() {
    status("speaking");
    model.tone("a", 12_000);
  },
  thinking: () => status("thinking"),
  connecting: () => status("connecting"),
  reconnecting: () => status("reconnecting", "The connection was lost; trying again in 2 s."),
  failed: () =>
    status(
      "failed",
      "The key was refused (401). Check STEPFUN_API_KEY, or use the key of the other cluster.",
    ),
  gone: () => model.trigger("comm:close"),
  notice: () =>
    model.down("notice", {
      level: "warning",
      text: "The voice was replaced by linjiajiejie.",
      fix: "Choose one of sn.voices() to be sure.",
    }),
  lag: () => {
    model.stalled = true;
    const { send } = model;
    model.send = (message) => message.k !== "ping" && send(message);
  },
};
scenes[scene]?.();
