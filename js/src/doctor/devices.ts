import { obstacle } from "../audio/obstacle.ts";
import { fill, type Labels } from "../ui/labels.ts";
import type { Finding } from "./contract.ts";
import { pair } from "./judge.ts";

/** Whether the browser lets this page have a microphone at all. */
export function lookAtPage({ doctor: words }: Labels): Finding {
  const { origin } = location;
  const found = obstacle();
  const [text, fix] = found ? words.page[found] : [words.page.ok, ""];
  return { state: found ? "fails" : "ok", text: fill(text, { origin }), fix };
}

/** What is known of microphones before one is opened. */
export async function lookAtMicrophone({ doctor: words }: Labels): Promise<Finding> {
  if (obstacle()) return { state: "fails", ...pair(words.microphone.obstacle) };
  const devices = await navigator.mediaDevices.enumerateDevices();
  const inputs = devices.filter(({ kind }) => kind === "audioinput");
  if (!inputs.length) return { state: "fails", ...pair(words.microphone.no_device) };
  const permission = await permissionOf();
  if (permission === "denied") return { state: "fails", ...pair(words.microphone.denied) };
  const names = inputs.map(({ label }) => label).filter(Boolean);
  const known = permission === "granted" ? words.microphone.allowed : words.microphone.asks;
  const text = fill(known[0], { devices: names.length ? names.join(", ") : String(inputs.length) });
  return { state: "open", text, fix: known[1] };
}

/** Firefox does not tell. */
async function permissionOf(): Promise<PermissionState | null> {
  try {
    return (await navigator.permissions.query({ name: "microphone" as PermissionName })).state;
  } catch {
    return null;
  }
}
