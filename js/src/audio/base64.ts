/** PCM16LE as base64, the envelope's form of audio. Every browser's own byte order is little-endian. */
export function encodePcm(parts: Int16Array[]): string {
  let binary = "";
  for (const { buffer, byteOffset, byteLength } of parts) {
    binary += String.fromCharCode(...new Uint8Array(buffer, byteOffset, byteLength));
  }
  return btoa(binary);
}

/** Bytes of base64. Throws on what is not that. */
export function decodeBytes(text: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new Error("The kernel sent audio that is not base64.", { cause });
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Samples of base64 PCM16LE; half a sample at the end is dropped. */
export function decodePcm(text: string): Int16Array<ArrayBuffer> {
  const { buffer, byteLength } = decodeBytes(text);
  return new Int16Array(buffer, 0, byteLength >> 1);
}

/** A sound file that came as base64, for a player. */
export function soundFile(text: string, type: "audio/wav" | "audio/flac"): Blob {
  return new Blob([decodeBytes(text)], { type });
}
