/**
 * What Firefox on Linux says of its output's latency, s: 25 to 33 ms. It must not be asked: the first question, of which
 * its output clock is made too, nearly always froze the tab for good (ESR 153, PulseAudio). The main thread waits for
 * the sound server while it holds the lock that the running audio callback waits for, and a worklet's message, whose
 * handler asks, is sent in the callback.
 */
const FIREFOX_LATENCY_S = 0.03;

/** When sound of a context time (s) reaches the ear, in page time (ms). */
export function pageTime(context: AudioContext, time: number): number {
  if (/Linux.* Firefox\//.test(navigator.userAgent)) return later(context, time, FIREFOX_LATENCY_S);
  const { contextTime, performanceTime } = context.getOutputTimestamp?.() ?? {};
  // Before the device has started, and in browsers without the clock, both are 0 or absent.
  if (contextTime && performanceTime) return performanceTime + (time - contextTime) * 1000;
  return later(context, time, context.outputLatency || context.baseLatency || 0);
}

function later(context: AudioContext, time: number, latency: number): number {
  return performance.now() + (time - context.currentTime + latency) * 1000;
}
