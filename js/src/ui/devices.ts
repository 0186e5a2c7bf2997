import { type DeviceSettings, type Granted, PROCESSING, type Processing } from "../audio/devices.ts";
import { h, setText } from "./dom.ts";
import { fill, type Labels } from "./labels.ts";

export interface DevicesEvents {
  /** The person changed something. */
  change(settings: DeviceSettings): void;
  /** The minimum of speech that interrupts, ms. */
  guard(ms: number): void;
  /** The section was opened: the devices are to be looked up. */
  open(): void;
}

/** A device as `enumerateDevices` tells of it; without permission it has no label. */
export type Device = Pick<MediaDeviceInfo, "deviceId" | "kind" | "label">;

const GUARD_MOST = 500;

/** The fold with everything about microphone and loudspeaker. */
export class Devices {
  readonly element: HTMLDetailsElement;
  readonly #labels: Labels;
  readonly #events: DevicesEvents;
  readonly #summary = h("span");
  readonly #input: HTMLSelectElement;
  readonly #output: HTMLSelectElement;
  readonly #volume: HTMLInputElement;
  readonly #guard: HTMLInputElement;
  readonly #checks: Record<Processing | "halfDuplex", HTMLInputElement>;
  readonly #granted: Record<Processing, HTMLElement>;
  readonly #figures = { volume: h("output", { class: "sn-num" }), guard: h("output", { class: "sn-num" }) };

  constructor(labels: Labels, choosesOutput: boolean, events: DevicesEvents) {
    this.#labels = labels;
    this.#events = events;
    const texts = labels.devices;
    this.#input = h("select", { class: "sn-select" });
    this.#output = h("select", {
      class: "sn-select",
      disabled: !choosesOutput,
      title: choosesOutput ? undefined : texts.noOutput,
    });
    this.#volume = h("input", { type: "range", class: "sn-range", min: "0", max: "100", step: "5" });
    this.#guard = h("input", {
      type: "range",
      class: "sn-range",
      min: "0",
      max: String(GUARD_MOST),
      step: "50",
    });
    const check = () => h("input", { type: "checkbox", class: "sn-switch", role: "switch" });
    this.#checks = {
      echoCancellation: check(),
      noiseSuppression: check(),
      autoGainControl: check(),
      halfDuplex: check(),
    };
    const granted = () => h("small");
    this.#granted = { echoCancellation: granted(), noiseSuppression: granted(), autoGainControl: granted() };
    const line = (name: "input" | "output" | "volume" | "guard", control: HTMLElement, ...more: Node[]) => {
      const [text, title] = [texts[name], texts.titles[name]];
      return h("label", { class: "sn-device", title }, h("span", {}, text), control, ...more);
    };
    const choice = (name: Processing | "halfDuplex", text: string, ...more: (Node | string)[]) =>
      h(
        "label",
        { class: "sn-toggle", title: texts.titles[name] },
        this.#checks[name],
        h("span", {}, text, ...more),
      );
    this.element = h(
      "details",
      { class: "sn-devices" },
      h("summary", { title: texts.tip }, h("span", {}, h("b", {}, texts.title), " ", this.#summary)),
      h(
        "div",
        { class: "sn-fields" },
        line("input", this.#input),
        line("output", this.#output),
        line("volume", this.#volume, this.#figures.volume),
        ...PROCESSING.map((name) => choice(name, texts[name], " ", this.#granted[name])),
        choice("halfDuplex", texts.halfDuplex, " ", h("small", {}, texts.halfDuplexHint)),
        line("guard", this.#guard, this.#figures.guard),
        h("p", { class: "sn-hint" }, texts.hint),
      ),
    );
    this.element.addEventListener("toggle", () => this.element.open && events.open());
    this.#volume.addEventListener("input", () => this.#change());
    for (const control of [this.#input, this.#output, ...Object.values(this.#checks)]) {
      control.addEventListener("change", () => this.#change());
    }
    this.#guard.addEventListener("input", () => this.guard(this.#guard.valueAsNumber));
    this.#guard.addEventListener("change", () => events.guard(this.#guard.valueAsNumber));
  }

  /** What is chosen, and what the browser granted of it; null: no microphone is open. */
  show(settings: DeviceSettings, granted: Granted | null): void {
    const texts = this.#labels.devices;
    this.#volume.value = String(Math.round(settings.volume * 100));
    setText(this.#figures.volume, `${this.#volume.value} %`);
    for (const [name, check] of Object.entries(this.#checks)) check.checked = settings[name as Processing];
    for (const name of PROCESSING) {
      const given = granted?.[name];
      let words = "";
      if (given === settings[name]) words = given ? texts.granted : "";
      else if (given !== undefined) words = given ? texts.forced : texts.refused;
      setText(this.#granted[name], words);
    }
    setText(this.#summary, this.#inWords(settings));
  }

  /** The devices there are. */
  list(devices: readonly Device[], { input, output }: DeviceSettings): void {
    fillSelect(this.#input, devices, "audioinput", input, this.#labels);
    fillSelect(this.#output, devices, "audiooutput", output, this.#labels);
  }

  guard(ms: number): void {
    this.#guard.value = String(ms);
    setText(this.#figures.guard, fill(this.#labels.devices.guardValue, { ms }));
  }

  #inWords(settings: DeviceSettings): string {
    const texts = this.#labels.devices;
    const name = (select: HTMLSelectElement) => select.selectedOptions[0]?.text;
    const words = [
      settings.input ? name(this.#input) : undefined,
      settings.output ? name(this.#output) : undefined,
      settings.echoCancellation ? undefined : texts.noEcho,
      settings.halfDuplex ? texts.gate : undefined,
      settings.volume < 1 ? `${Math.round(settings.volume * 100)} %` : undefined,
    ].filter(Boolean);
    return words.join(" · ") || texts.default;
  }

  #change(): void {
    const { echoCancellation, noiseSuppression, autoGainControl, halfDuplex } = this.#checks;
    this.#events.change({
      input: this.#input.value,
      output: this.#output.value,
      volume: this.#volume.valueAsNumber / 100,
      echoCancellation: echoCancellation.checked,
      noiseSuppression: noiseSuppression.checked,
      autoGainControl: autoGainControl.checked,
      halfDuplex: halfDuplex.checked,
    });
  }
}

function fillSelect(
  select: HTMLSelectElement,
  devices: readonly Device[],
  kind: MediaDeviceKind,
  chosen: string,
  { devices: texts }: Labels,
): void {
  // Chromium lists the system's choice a second time, under ids that are words.
  const known = devices.filter(
    (device) => device.kind === kind && !["", "default"].includes(device.deviceId),
  );
  const options = known.map(({ deviceId, label }, i) =>
    h("option", { value: deviceId }, label || fill(texts.unnamed, { n: i + 1 })),
  );
  if (chosen && !known.some(({ deviceId }) => deviceId === chosen)) {
    options.push(h("option", { value: chosen }, texts.absent));
  }
  select.replaceChildren(h("option", { value: "" }, texts.system), ...options);
  select.value = chosen;
}
