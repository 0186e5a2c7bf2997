/** What may own the page's one live microphone. */
export interface MicrophoneOwner {
  /** Another view takes over. */
  yieldMicrophone(): void;
}

/** What may play on the page. */
export interface Voice {
  /** It is this voice's turn. */
  speak(): void;
}

type Hear = (rms: number) => void;

interface Page {
  microphone: MicrophoneOwner | null;
  /** The one that plays, and those that wait. */
  voices: Voice[];
  /** Who wants to know how loud the microphone of a session is. */
  ears: Map<string, Set<Hear>>;
}

// On the page and not in this module: each widget model loads its own copy of the module.
const KEY = Symbol.for("stepnb.page");
const holder = globalThis as { [KEY]?: Page };
holder[KEY] ??= { microphone: null, voices: [], ears: new Map() };
const page = holder[KEY];

/** Makes `owner` the page's one owner; the one before stops its microphone. */
export function takeMicrophone(owner: MicrophoneOwner): void {
  const before = page.microphone;
  page.microphone = owner;
  if (before && before !== owner) before.yieldMicrophone();
}

export function releaseMicrophone(owner: MicrophoneOwner): void {
  if (page.microphone === owner) page.microphone = null;
}

/** Queues for the loudspeaker: `speak` is called when it is free, maybe at once. Two sessions never speak at a time. */
export function queueVoice(voice: Voice): void {
  if (page.voices.includes(voice)) return;
  page.voices.push(voice);
  if (page.voices.length === 1) voice.speak();
}

/** Leaves the loudspeaker, or the queue for it, to the next one. */
export function leaveVoice(voice: Voice): void {
  const place = page.voices.indexOf(voice);
  if (place < 0) return;
  page.voices.splice(place, 1);
  if (place === 0) page.voices[0]?.speak();
}

/** Tells the session's other widgets on the page how loud its microphone is: the RMS of 20 ms, int16 units. */
export function tellLevel(session: string, rms: number): void {
  for (const hear of page.ears.get(session) ?? []) hear(rms);
}

export function onLevel(session: string, hear: Hear, signal: AbortSignal): void {
  const ears = page.ears.get(session) ?? new Set();
  page.ears.set(session, ears.add(hear));
  signal.addEventListener("abort", () => {
    ears.delete(hear);
    if (!ears.size) page.ears.delete(session);
  });
}

/** A random id. `crypto.randomUUID` is missing on plain http. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
