/** Stopband attenuation of the filter, dB, and Kaiser's window parameter for it. */
const ATTENUATION = 72;
const BETA = 0.1102 * (ATTENUATION - 8.7);
/** Width of the transition band as a share of the lower rate: at 24 kHz it runs from 11 to 13 kHz. */
const TRANSITION = 1 / 12;

/**
 * A streaming sample rate converter: a windowed-sinc low-pass in polyphase form.
 *
 * Output `k` sits at input time `k * down / up`, so that `n` inputs give exactly `ceil(n * up / down)` outputs,
 * however they were cut into blocks. Outputs come `delay` input samples late, the filter's group delay.
 */
export class Resampler {
  readonly delay: number;
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  /** `#kernel[phase * #taps + j]` weighs the input of `j` samples ago. */
  readonly #kernel: Float32Array;
  /** The last inputs, newest first from `#head`; stored twice, so that a window is always one contiguous piece. */
  readonly #history: Float32Array;
  #head = 0;
  /** Time of the next output after the newest input, in 1/up input samples; from `up` on it needs more input. */
  #ahead: number;

  constructor(fromRate: number, toRate: number) {
    const divisor = gcd(fromRate, toRate);
    this.#up = toRate / divisor;
    this.#down = fromRate / divisor;
    const lower = Math.min(fromRate, toRate) / fromRate;
    const taps = 2 * Math.ceil((ATTENUATION - 7.95) / (14.36 * TRANSITION * lower) / 2);
    const same = fromRate === toRate;
    this.#taps = same ? 1 : taps;
    this.#kernel = same ? Float32Array.of(1) : design(this.#up, taps, lower);
    this.delay = same ? 0 : taps / 2;
    this.#history = new Float32Array(2 * this.#taps);
    this.#ahead = this.#up;
  }

  /** How many inputs the next `outputs` samples take. */
  inputsFor(outputs: number): number {
    return Math.max(0, Math.floor((this.#ahead + (outputs - 1) * this.#down) / this.#up));
  }

  /** The most samples that `inputs` inputs can give. */
  outputsFor(inputs: number): number {
    return Math.ceil((inputs * this.#up) / this.#down);
  }

  /** Takes all of `input` in, writes what comes out to `output`, and returns how many samples that were. */
  process(input: Float32Array, output: Float32Array): number {
    let taken = 0;
    let written = 0;
    while (written < output.length) {
      if (this.#ahead < this.#up) {
        output[written++] = this.#at(this.#ahead);
        this.#ahead += this.#down;
      } else if (taken < input.length) {
        this.#push(input[taken++] as number);
        this.#ahead -= this.#up;
      } else {
        break;
      }
    }
    return written;
  }

  #push(sample: number): void {
    this.#head = (this.#head || this.#taps) - 1;
    this.#history[this.#head] = sample;
    this.#history[this.#head + this.#taps] = sample;
  }

  #at(phase: number): number {
    const start = phase * this.#taps;
    let sum = 0;
    for (let j = 0; j < this.#taps; j++) {
      sum += (this.#kernel[start + j] as number) * (this.#history[this.#head + j] as number);
    }
    return sum;
  }
}

/** The low-pass at half the lower rate (`lower`: that rate as a share of the input's), by phase, each of unit gain. */
function design(up: number, taps: number, lower: number): Float32Array {
  const kernel = new Float32Array(up * taps);
  for (let phase = 0; phase < up; phase++) {
    const row = kernel.subarray(phase * taps, (phase + 1) * taps);
    let gain = 0;
    for (let j = 0; j < taps; j++) {
      const t = phase / up + j - taps / 2;
      row[j] = sinc(lower * t) * bessel(BETA * Math.sqrt(Math.max(0, 1 - ((2 * t) / taps) ** 2)));
      gain += row[j] as number;
    }
    for (let j = 0; j < taps; j++) row[j] = (row[j] as number) / gain;
  }
  return kernel;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function of the first kind, order 0; the window needs it only up to a constant factor. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-9; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a: number, b: number): number {
  return b ? gcd(b, a % b) : a;
}
