import { WIRE_RATE } from "./format.ts";

/** PCM16LE mono at 24 kHz as a WAV file. */
export function wavOf(pcm: Int16Array[]): Blob {
  const size = pcm.reduce((sum, part) => sum + part.byteLength, 0);
  const header = new DataView(new ArrayBuffer(44));
  const text = (at: number, letters: string) => {
    for (const [i, letter] of [...letters].entries()) header.setUint8(at + i, letter.charCodeAt(0));
  };
  text(0, "RIFF");
  header.setUint32(4, 36 + size, true);
  text(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // mono
  header.setUint32(24, WIRE_RATE, true);
  header.setUint32(28, WIRE_RATE * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  text(36, "data");
  header.setUint32(40, size, true);
  return new Blob([header, ...(pcm as BlobPart[])], { type: "audio/wav" });
}
