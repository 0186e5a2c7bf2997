import type { MicState } from "../audio/microphone.ts";
import type { SessionState } from "../envelope.ts";

/** A microphone state that needs an explanation. */
export type MicTrouble = Exclude<MicState, "off" | "asking" | "live" | "muted">;
/** The word shown for the panel as a whole. */
export type PanelState = SessionState | "no_microphone" | "gone";

const en = {
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

const zh: Labels = {
  panel: "语音会话",
  state: {
    idle: "就绪",
    connecting: "连接中",
    ready: "就绪",
    listening: "聆听中",
    thinking: "思考中",
    speaking: "回答中",
    reconnecting: "重新连接",
    failed: "失败",
    closed: "已关闭",
    no_microphone: "没有麦克风",
    gone: "内核已断开",
  },
  mic: {
    denied: ["浏览器拒绝了麦克风。", "请在地址栏旁允许使用，再按“说话”。也可以先打字。"],
    insecure: [
      "此页面不能使用麦克风。",
      "浏览器只在 https 或 localhost 上允许：请从那里打开。这里可以打字。",
    ],
    no_device: ["没有找到麦克风。", "请接上或打开麦克风，再按“说话”。也可以先打字。"],
    busy: ["无法打开麦克风。", "可能有其他程序正在使用：请关闭它，再按“说话”。"],
    ended: ["麦克风已停止。", "它可能被拔出或关闭：请检查后再按“说话”。"],
  },
  you: "你",
  step: "Step",
  transcript: "对话记录",
  empty: "按“说话”开口，或输入消息。",
  emptyHold: "按住“说话”（或空格键）则只在按住时录音。",
  speakingNow: "正在说话",
  cutOff: "在 {s} 秒处被打断",
  cut: "被打断",
  failedRow: "失败",
  latency: "{s} 秒",
  latencyTitle: "从提问结束到听到第一个声音",
  talk: "说话",
  end: "结束",
  release: "松开",
  talkTitle: "说话：点击开始和结束，或按住时说话",
  endTitle: "结束说话：关闭麦克风",
  asking: "请求中…",
  askingTitle: "浏览器正在请求麦克风。点击取消",
  mute: "麦克风静音",
  unmute: "取消静音",
  stop: "停止",
  stopTitle: "停止回答",
  message: "消息",
  placeholder: "输入消息",
  send: "发送",
  threshold: "阈值",
  ribbon: "最近 20 秒的声音",
  kernel: "内核 {ms} 毫秒",
  kernelTitle: "页面与内核之间的往返时间",
  lag: "内核忙",
  lagMic: "内核忙：音频已保留",
  dropped: "丢失 {s} 秒语音",
  droppedTitle: "内核忙碌太久，最早的音频被丢弃",
  voice: "音色",
  turns: "轮次",
  vad: "VAD {padding} · {silence} · {threshold}",
  vadTitle: "服务端 VAD：语音前保留 {padding} 毫秒，静音 {silence} 毫秒结束一轮，能量阈值 {threshold}",
  pushToTalk: "按键说话",
  tryAgain: "重试",
  playSound: "播放声音",
  soundBlocked: "浏览器需要一次点击才会播放声音。",
  dismiss: "关闭",
  failed: "会话失败。",
  otherView: "麦克风已由另一个面板使用。",
  goneText: "内核已停止或重启。",
  goneFix: "请重新运行单元格以新建会话。",
  error: "面板出现错误：",
};

/** The catalogue for the page's language, and that language's tag. */
export function labelsOf(languages: readonly string[]): { lang: string; labels: Labels } {
  const known = languages.find((tag) => /^(en|zh)\b/i.test(tag));
  return known?.toLowerCase().startsWith("zh") ? { lang: "zh", labels: zh } : { lang: "en", labels: en };
}

/** `"{s} s"` with values put in. */
export function fill(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Milliseconds as seconds: 4.1, or with two places 0.62. */
export function seconds(ms: number, places = 1): string {
  return (ms / 1000).toFixed(places);
}
