/** PCM16LE as base64, the envelope's form of audio. Every browser's own byte order is little-endian. */
export function encodePcm(parts: Int16Array[]): string {
  let binary = "";
  for (const { buffer, byteOffset, byteLength } of parts) {
    binary += String.fromCharCode(...new Uint8Array(buffer, byteOffset, byteLength));
  }
  return btoa(binary);
}

/** Samples of base64 PCM16LE; half a sample at the end is dropped. Throws on what is not base64. */
export function decodePcm(text: string): Int16Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new Error("The kernel sent audio that is not base64.", { cause });
  }
  const bytes = new Uint8Array(binary.length & ~1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Int16Array(bytes.buffer);
}
