import type { doctor as en } from "./doctor.en.ts";

export const doctor: typeof en = {
  title: "语音所需的一切",
  kernelPart: "内核中",
  pagePart: "此页面中",
  looking: "正在检查…",
  states: { ok: "正常", note: "注意", fails: "不可用", open: "未检查" },
  names: {
    widgets: "控件管理器",
    server: "服务器扩展",
    kernel: "内核",
    engine: "本地引擎",
    audio: "音频文件",
    key: "API 密钥",
    global: "集群 global",
    cn: "集群 cn",
    clock: "时钟",
    page: "页面",
    microphone: "麦克风",
    output: "扬声器",
    messages: "消息",
    busy: "单元运行时",
    subshells: "子 shell",
  },
  page: {
    ok: "{origin} 可以使用麦克风",
    insecure: [
      "{origin} 不能使用麦克风。",
      "浏览器只在 https 和 localhost 上允许：请从那里打开笔记本，例如通过 SSH 隧道。",
    ],
  },
  microphone: {
    allowed: ["已允许：{devices}", "请试一试，并说话。"],
    asks: ["已找到：{devices}。浏览器会询问此页面能否使用。", "请试一试，并说话。"],
    heard: "{device} 听到了您的声音，最响处 {db} dBFS",
    faint: ["{device} 几乎没有听到声音，最响处 {db} dBFS。", "请在收听时说话；靠近一些，或调高麦克风音量。"],
    silent: [
      "{device} 没有听到声音。",
      "请在收听时说话。它是否被自身的开关或系统静音？可在面板的“设备”中选择另一个。",
    ],
    denied: ["浏览器拒绝了麦克风。", "请在地址栏旁允许，然后重试。"],
    insecure: ["此页面不允许。", "请看上一行。"],
    no_device: ["没有找到麦克风。", "请接上或打开麦克风，然后重试。仍可打字。"],
    busy: ["麦克风无法打开，或已停止。", "可能被其他程序占用：请关闭该程序，然后重试。"],
  },
  output: {
    untried: ["点击之前，浏览器不会播放声音。", "请播放提示音。"],
    ok: [
      "提示音已播放：{rate} Hz，延迟 {ms} 毫秒。",
      "没有听到？请调高音量，或在系统中或面板的“设备”中选择扬声器。",
    ],
    held: ["浏览器没有播放。", "有声音设备吗？请在地址栏旁允许声音，然后重试。"],
    none: ["此浏览器没有 Web Audio。", "请使用新版的 Chrome、Edge、Firefox 或 Safari。"],
  },
  messages: {
    ok: "往返内核：p50 {p50} 毫秒，p95 {p95} 毫秒",
    slow: [
      "往返内核：p50 {p50} 毫秒，p95 {p95} 毫秒。",
      "语音会延迟。是否有单元在运行、机器繁忙，或到服务器的线路慢？请重新测量。",
    ],
    lost: ["内核没有回答。", "是否有单元在运行？请等它结束后重新测量，或重启内核。"],
  },
  busy: {
    ok: "消息不受影响：p50 {p50} 毫秒，p95 {p95} 毫秒",
    waits: [
      "消息要等到单元结束。",
      '请在各自的环境中更新：pip install --upgrade "ipykernel>=7.4" "jupyterlab>=4.4"。在此之前，请在单元中写 `await t`，不要写 t.wait()。',
    ],
    open: ["未测量：无法让内核保持繁忙。", "请在没有单元运行时重新测量。"],
  },
  subshells: {
    ok: "内核在单元之外接收此页面的消息",
    none: ["内核在运行单元的线程上接收消息。", "需要 JupyterLab 4.4 和 ipykernel 7，或更新版本。"],
  },
  listen: "试麦克风",
  listenTitle: "收听 {s} 秒；声音不会离开此页面",
  level: "麦克风音量",
  tone: "播放提示音",
  toneTitle: "播放半秒提示音",
  again: "重新测量",
  againTitle: "重新测量到内核的往返；会让内核繁忙一秒",
};
