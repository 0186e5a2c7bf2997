/** The texts of the doctor. A pair is what was found and what to do about it. */
export const doctor = {
  title: "What voice needs",
  kernelPart: "In the kernel",
  pagePart: "In this page",
  looking: "Looking…",
  states: { ok: "OK", note: "Note", fails: "Fails", open: "Not checked" },
  /** By check; one that is missing here is called as the kernel calls it. */
  names: {
    widgets: "Widget manager",
    server: "Server extension",
    kernel: "Kernel",
    engine: "Local engine",
    audio: "Audio files",
    key: "API key",
    global: "Cluster global",
    cn: "Cluster cn",
    clock: "Clock",
    page: "Page",
    microphone: "Microphone",
    output: "Loudspeaker",
    messages: "Messages",
    busy: "Busy cell",
    subshells: "Subshells",
  } as Record<string, string>,
  page: {
    ok: "{origin} may use a microphone",
    insecure: [
      "{origin} may not use a microphone.",
      "Browsers allow it on https and on localhost only: open the notebook there, for example through an SSH tunnel.",
    ] as [string, string],
    policy: [
      "{origin} gets no microphone from the frame it stands in.",
      "Whoever shows it has to allow it; open the notebook in a tab of its own.",
    ] as [string, string],
    webview: [
      "VS Code passes no microphone on to notebooks.",
      "Type, or open the notebook in JupyterLab to talk.",
    ] as [string, string],
  },
  microphone: {
    allowed: ["Allowed: {devices}", "Try it, and speak."],
    asks: ["Found: {devices}. The browser will ask whether this page may use it.", "Try it, and speak."],
    heard: "{device} heard you, {db} dBFS at the loudest",
    faint: [
      "{device} heard little, {db} dBFS at the loudest.",
      "Speak while it listens; come closer, or turn the microphone up.",
    ],
    silent: [
      "{device} heard nothing.",
      "Speak while it listens. Is it muted, by a switch of its own or by the system? Another one is chosen in the panel, under Devices.",
    ],
    denied: ["The browser refused the microphone.", "Allow it beside the address bar, and try again."],
    obstacle: ["Not allowed on this page.", "See the line above."],
    no_device: ["No microphone was found.", "Plug one in or switch it on, and try again. Typing works."],
    busy: [
      "The microphone could not be opened, or stopped.",
      "Another program may be using it: close that one, and try again.",
    ],
  } satisfies Record<string, string | [string, string]> as Record<
    "allowed" | "asks" | "faint" | "silent" | "denied" | "obstacle" | "no_device" | "busy",
    [string, string]
  > & { heard: string },
  output: {
    untried: ["A browser plays nothing before a click.", "Play a tone."],
    ok: [
      "A tone was played at {rate} Hz, {ms} ms behind.",
      "Not heard? Turn the volume up, or choose the loudspeaker in the system or in the panel, under Devices.",
    ],
    held: [
      "The browser did not play.",
      "Is there a sound device? Allow sound beside the address bar, and try again.",
    ],
    none: ["This browser has no Web Audio.", "Use Chrome, Edge, Firefox or Safari in a current version."],
  } as Record<"untried" | "ok" | "held" | "none", [string, string]>,
  messages: {
    ok: "to the kernel and back: p50 {p50} ms, p95 {p95} ms",
    slow: [
      "To the kernel and back: p50 {p50} ms, p95 {p95} ms.",
      "Speech comes late. Is a cell running, the machine busy, or the line to the server slow? Measure again.",
    ] as [string, string],
    lost: [
      "The kernel did not answer.",
      "Is a cell running? Wait for its end and measure again, or restart the kernel.",
    ] as [string, string],
  },
  busy: {
    ok: "messages go around it: p50 {p50} ms, p95 {p95} ms",
    waits: [
      "Messages wait until the cell ends.",
      'Update both where they run: pip install --upgrade "ipykernel>=7.4" "jupyterlab>=4.4". Until then write `await t` in cells, not t.wait().',
    ] as [string, string],
    open: ["Not measured: the kernel could not be kept busy.", "When no cell is running, measure again."] as [
      string,
      string,
    ],
  },
  subshells: {
    ok: "the kernel takes this page's messages beside the cells",
    none: [
      "The kernel takes messages on the thread of the cells.",
      "They need JupyterLab 4.4 and ipykernel 7, or newer.",
    ] as [string, string],
  },
  listen: "Try the microphone",
  listenTitle: "Listen for {s} s; the sound stays in this page",
  level: "Level of the microphone",
  tone: "Play a tone",
  toneTitle: "Play half a second of a tone",
  again: "Measure again",
  againTitle: "Measure the way to the kernel again; it keeps the kernel busy for a second",
};
