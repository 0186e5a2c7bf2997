import { loadDevices } from "../audio/devices.ts";
import { AudioHost } from "../audio/host.ts";
import { Microphone, type MicState } from "../audio/microphone.ts";
import { type MicrophoneOwner, releaseMicrophone, takeMicrophone } from "../page.ts";
import { fill, type Labels } from "../ui/labels.ts";
import type { Finding } from "./contract.ts";
import { judgeMicrophone, type MicrophoneTrial, pair } from "./judge.ts";
import { within } from "./meter.ts";

/** For so long the microphone is open, ms. */
export const LISTEN_MS = 4000;
const TONE_HZ = 440;
const TONE_S = 0.5;
const TONE_GAIN = 0.2;
/** A browser that holds sound back does not say so; it just never plays, ms. */
const PLAYS_MS = 4000;

/** Opens the microphone for a while, or until `signal` aborts; `level`: the RMS of each 20 ms. */
export async function tryMicrophone(
  labels: Labels,
  level: (rms: number) => void,
  signal: AbortSignal,
): Promise<Finding> {
  const settings = loadDevices();
  const host = new AudioHost(settings, () => {});
  const heard: MicrophoneTrial = { label: "", loudest: 0 };
  let ended: (state: MicState | "yielded") => void = () => {};
  let live = false;
  const microphone = new Microphone(host, settings, {
    frame: ({ rms }) => {
      heard.loudest = Math.max(heard.loudest, rms);
      level(rms);
    },
    state: (state) => {
      if (live && state !== "live") ended(state);
    },
  });
  // The panel's microphone is given up for the trial, and the trial for the panel's.
  const owner: MicrophoneOwner = { yieldMicrophone: () => ended("yielded") };
  takeMicrophone(owner);
  try {
    await microphone.start();
    const { state } = microphone;
    if (state !== "live") return trouble(state, labels);
    live = true;
    heard.label = microphone.label;
    const cut = await within<MicState | "yielded">(LISTEN_MS, signal, (resolve) => {
      ended = resolve;
    });
    return cut === "ended" ? trouble(cut, labels) : judgeMicrophone(heard, labels);
  } finally {
    live = false;
    microphone.stop();
    host.close();
    releaseMicrophone(owner);
  }
}

function trouble(state: MicState, { doctor: words }: Labels): Finding {
  const { denied, obstacle, no_device, busy } = words.microphone;
  const known: Partial<Record<MicState, [string, string]>> = {
    denied,
    insecure: obstacle,
    policy: obstacle,
    webview: obstacle,
    no_device,
  };
  return { state: "fails", ...pair(known[state] ?? busy) };
}

/** Plays a tone; what is to be heard only a person can say. */
export async function tryOutput({ doctor: words }: Labels, signal: AbortSignal): Promise<Finding> {
  if (!("AudioContext" in window)) return { state: "fails", ...pair(words.output.none) };
  const host = new AudioHost(loadDevices(), () => {});
  try {
    const context = await host.open();
    host.unlock();
    const tone = new OscillatorNode(context, { frequency: TONE_HZ });
    const gain = new GainNode(context, { gain: 0 });
    // In and out within 20 ms: a step clicks.
    gain.gain.setTargetAtTime(TONE_GAIN, context.currentTime, 0.02);
    gain.gain.setTargetAtTime(0, context.currentTime + TONE_S - 0.1, 0.02);
    tone.connect(gain).connect(host.output);
    const played = within<true>(PLAYS_MS, signal, (resolve) =>
      tone.addEventListener("ended", () => resolve(true)),
    );
    tone.start();
    tone.stop(context.currentTime + TONE_S);
    if ((await played) === null) return { state: "fails", ...pair(words.output.held) };
    const latency = context.outputLatency || context.baseLatency;
    const values = { rate: context.sampleRate, ms: Math.round(latency * 1000) };
    return { state: "ok", text: fill(words.output.ok[0], values), fix: words.output.ok[1] };
  } finally {
    host.close();
  }
}
