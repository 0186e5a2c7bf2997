import type { MicState } from "../../audio/microphone.ts";
import type { Finish, OwnerPlace, SessionState, ToolCall } from "../../envelope.ts";
import type { Health } from "../../link.ts";
import { controls } from "./controls.en.ts";
import { devices } from "./devices.en.ts";
import { doctor } from "./doctor.en.ts";
import { gallery } from "./gallery.en.ts";
import { inspector } from "./inspector.en.ts";
import { voices } from "./voices.en.ts";

/** A microphone state that needs an explanation. */
export type MicTrouble = Exclude<MicState, "off" | "asking" | "live" | "muted">;
/** The word shown for the panel as a whole. */
export type PanelState = SessionState | "no_microphone" | "gone";

/** The catalogue, by which the other languages are measured. */
export const en = {
  panel: "Voice session",
  state: {
    idle: "Ready",
    connecting: "Connecting",
    ready: "Ready",
    listening: "Listening",
    thinking: "Thinking",
    speaking: "Speaking",
    reconnecting: "Reconnecting",
    failed: "Failed",
    closed: "Closed",
    no_microphone: "No microphone",
    gone: "No kernel",
  } satisfies Record<PanelState, string>,
  mic: {
    denied: [
      "The browser refused the microphone.",
      "Allow it beside the address bar and press Talk again. You can type meanwhile.",
    ],
    insecure: [
      "This page may not use a microphone.",
      "Browsers allow it on https and on localhost only: open the notebook there. You can type here.",
    ],
    policy: [
      "The frame around this panel passes no microphone on.",
      "The page that shows it would have to allow it. You can type here, or:",
    ],
    webview: ["VS Code passes no microphone on to notebooks.", "You can type here, or:"],
    no_device: [
      "No microphone was found.",
      "Plug one in or switch it on, then press Talk again. You can type meanwhile.",
    ],
    busy: [
      "The microphone could not be opened.",
      "Another program may be using it: close that one and press Talk again.",
    ],
    ended: ["The microphone stopped.", "It was unplugged or switched off: check it and press Talk again."],
  } satisfies Record<MicTrouble, [string, string]>,
  ladder: {
    file: "Speak a file",
    fileTitle: "Choose an audio file (WAV, FLAC, OGG, MP3): it is spoken as if into the microphone",
    use: { companion: "Open a companion tab", device: "Use the kernel's microphone" },
    useTitle: {
      companion:
        "The panel in a tab of its own, served by the kernel on this machine, where the browser can allow the microphone",
      device: "The microphone and the loudspeaker of the kernel's machine; with headphones",
    },
    ready: "The companion tab is ready.",
    readyFix: "Should the browser not have opened it:",
    openTab: "Open it here",
    elsewhere: {
      companion: [
        "The microphone is in the companion tab.",
        "Press Talk there; what is said is shown here too.",
      ],
      device: ["The kernel's machine listens and speaks.", "What is said is shown here."],
    } satisfies Record<Exclude<OwnerPlace, "page">, [string, string]>,
    close: { companion: "Close the tab", device: "Stop it" },
    tabTitle: "stepnb, companion tab",
    tabEnded: "This tab is no longer connected.",
    tabEndedFix:
      "The session or its kernel has ended, or the tab was closed from the notebook. Open another one from the panel there.",
    tabRefused: "This link does not work any more.",
    tabRefusedFix: "A link opens one tab, once. Open another one from the panel in the notebook.",
    large: [
      "The file is too large to go through the notebook.",
      "Speak it from Python instead: s.append(sn.Clip.load(path)).",
    ] satisfies [string, string],
  },
  you: "You",
  step: "Step",
  transcript: "Transcript",
  empty: "Press Talk and speak, or type a message.",
  emptyHold: "Hold Talk (or the space bar) to speak only while you hold.",
  speakingNow: "speaking now",
  cutOff: "cut off at {s} s",
  cut: "cut off",
  failedRow: "failed",
  latency: "{s} s",
  latencyTitle: "From the end of the question to the first sound",
  talk: "Talk",
  end: "End",
  release: "Release",
  talkTitle: "Talk: click to start and to end, or hold to speak while you hold",
  endTitle: "End talking: the microphone is closed",
  asking: "Asking…",
  askingTitle: "The browser is asking for the microphone. Click to cancel",
  mute: "Mute the microphone",
  unmute: "Unmute the microphone",
  stop: "Stop",
  stopTitle: "Stop the answer",
  message: "Message",
  placeholder: "Type a message",
  messageTitle: "Type a message and press Enter",
  send: "Send",
  threshold: "threshold",
  ribbon: "Sound of the last 20 seconds",
  health: {
    live: { text: "live · {ms} ms", title: "Round trip between this page and the kernel" },
    slow: {
      text: "slow · {ms} ms",
      title: "The kernel takes a while to answer: it, or this machine, has much to do",
    },
    blocked: {
      text: "blocked by a running cell",
      title: "The kernel takes nothing in while a cell runs: use await in cells",
    },
  } satisfies Record<Health, { text: string; title: string }>,
  blockedText: "A running cell blocks the kernel. The last seconds of speech are kept.",
  blockedFix:
    "Use await in cells (await t, not t.wait(); await asyncio.sleep(1), not time.sleep(1)), or interrupt the cell.",
  dropped: "{s} s of speech lost",
  droppedTitle: "The kernel was busy for too long; the oldest audio was dropped",
  vad: "VAD {padding} · {silence} · {threshold}",
  vadTitle:
    "Server VAD: {padding} ms kept before speech, {silence} ms of silence end a turn, energy threshold {threshold}",
  devices,
  hearsItself: "It hears itself.",
  hearsItselfFix: "Use headphones, or the gate: the microphone is silent while the answer plays.",
  useGate: "Use the gate",
  outputFailed: "The loudspeaker could not be opened; another one plays.",
  pushToTalk: "push to talk",
  tryAgain: "Try again",
  playSound: "Play the sound",
  soundBlocked: "The browser waits for a click before it plays sound.",
  dismiss: "Dismiss",
  failed: "The session failed.",
  lost: "The connection was lost.",
  otherView: "Another panel has the microphone now.",
  slept: "The computer was asleep, and the microphone was closed. Press Talk to go on.",
  goneText: "The kernel has stopped or restarted.",
  goneFix: "Run the cell again for a new session.",
  error: "Something went wrong in this panel:",
  thinkingRow: "Thought",
  thinkingTitle: "What the model thought before it answered",
  localEngine: "local engine",
  localLimits: [
    "For practice: it answers from a small set of topics and does not reason.",
    "It recognises simple spoken English only; Mandarin can be typed, but not spoken to it.",
    "A real accent, a noisy room or a browser's microphone processing is recognised less well than clean speech.",
  ],
  limitsTitle: "What does not work here",
  toolStatus: {
    arriving: "is being asked for",
    ready: "is about to run",
    "awaiting approval": "waits for your approval",
    running: "is running",
    completed: "",
    failed: "failed",
    denied: "denied",
    cancelled: "cancelled",
  } satisfies Record<ToolCall["status"], string>,
  approve: "Approve",
  approveTitle: "Let this call be made",
  deny: "Deny",
  denyTitle: "Refuse this call; the model is told",
  callDetails: "{tool}: arguments and result",
  arguments: "Arguments",
  result: "Result",
  milliseconds: "{ms} ms",
  finish: {
    length: "The answer reached the greatest length the model may give.",
    content_filter: "The answer was stopped by content review.",
    incomplete: "The service ended the answer early and did not say why.",
  } as Partial<Record<Finish, string>>,
  tokens: "{input} + {output} tokens",
  tokensTitle: "Input + output",
  estimated: "about {what}",
  estimatedTitle: "Estimated: the service did not count",
  playRow: "Play what {who} said",
  pauseRow: "Pause",
  seekRow: "Position in what {who} said, s",
  loadingRow: "Loading",
  saveRow: "Save this sound as WAV",
  copyRow: "Copy this text",
  copied: "Copied",
  notCopied: "The browser does not let this page copy.",
  actions: "More actions",
  copyAll: "Copy the conversation",
  exportAs: "Export as {format}",
  exportTitle: "Saved beside the notebook",
  totals: "turn {n}",
  totalTitle: "Turns so far, and what they cost by the published prices",
  free: "free",
  ...controls,
  timeline: {
    title: "Conversation over time",
    hint: "Click what was said to hear it. Drag to move; Ctrl and the wheel, or + and −, to zoom.",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    all: "Show all",
    play: "Play",
    stop: "Stop",
    playTitle: "Play what was chosen, or stop it",
  },
  doctor,
  gallery,
  inspector,
  ...voices,
};

export type Labels = typeof en;
