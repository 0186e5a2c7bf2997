// What the DOM library of TypeScript leaves out: the scope of an audio worklet, and the build's inlined worklets.

declare module "worklet:*" {
  const source: string;
  export default source;
}

declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Rate of the context, Hz, and the time of the current block's first frame, s: inside a worklet only. */
declare const sampleRate: number;
declare const currentTime: number;
