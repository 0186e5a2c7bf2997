import type { MicState } from "../../audio/microphone.ts";
import type { SessionState } from "../../envelope.ts";

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
  send: "Send",
  threshold: "threshold",
  ribbon: "Sound of the last 20 seconds",
  kernel: "kernel {ms} ms",
  kernelTitle: "Round trip between this page and the kernel",
  lag: "kernel busy",
  lagMic: "kernel busy: audio is kept",
  dropped: "{s} s of speech lost",
  droppedTitle: "The kernel was busy for too long; the oldest audio was dropped",
  voice: "Voice",
  turns: "Turn-taking",
  vad: "VAD {padding} · {silence} · {threshold}",
  vadTitle:
    "Server VAD: {padding} ms kept before speech, {silence} ms of silence end a turn, energy threshold {threshold}",
  pushToTalk: "push to talk",
  tryAgain: "Try again",
  playSound: "Play the sound",
  soundBlocked: "The browser waits for a click before it plays sound.",
  dismiss: "Dismiss",
  failed: "The session failed.",
  otherView: "Another panel has the microphone now.",
  goneText: "The kernel has stopped or restarted.",
  goneFix: "Run the cell again for a new session.",
  error: "Something went wrong in this panel:",
};

export type Labels = typeof en;
