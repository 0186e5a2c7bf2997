/** The one audio format of the wire: PCM16, mono, 24 kHz. */
export const WIRE_RATE = 24_000;
/** A microphone frame: 20 ms. */
export const FRAME_MS = 20;
export const FRAME_SAMPLES = (WIRE_RATE * FRAME_MS) / 1000;

export const toMs = (samples: number): number => (samples * 1000) / WIRE_RATE;
export const toSamples = (ms: number): number => Math.round((ms * WIRE_RATE) / 1000);

/** Root mean square of int16 samples, in their own units: the scale of the service's VAD threshold. */
export function rms(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length ? Math.sqrt(sum / samples.length) : 0;
}
