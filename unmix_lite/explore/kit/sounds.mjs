// Compressed sounds that lie in a page.

/** The bytes that a text in base64 stands for. */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

/** A sound file's channels, at most two, decoded without the loudspeaker, which needs no gesture. */
export async function decoded(bytes, rate) {
  const buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
  return Array.from({length: Math.min(2, buffer.numberOfChannels)}, (_, c) => buffer.getChannelData(c));
}
