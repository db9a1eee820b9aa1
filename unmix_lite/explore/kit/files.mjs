// Sound files in, sound files out: what a page reads from the reader's disk, and gives back.

import {h} from "./look.mjs";

const PIECE = 10; // s that are written at once

/** What a sound file's head says of it: {rate} in Hz and {channels}; null for what it does not. */
export function headOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const find = (word, from = 0) => {
    const codes = [...word].map((letter) => letter.charCodeAt(0));
    for (let i = from; i + codes.length <= bytes.length; i++) {
      if (codes.every((code, k) => bytes[i + k] === code)) return i;
    }
    throw new RangeError(word);
  };
  const starts = (word, at = 0) => [...word].every((letter, k) => bytes[at + k] === letter.charCodeAt(0));
  try {
    if (starts("RIFF")) {
      const format = find("fmt ");
      return {rate: view.getUint32(format + 12, true), channels: view.getUint16(format + 10, true)};
    }
    if (starts("fLaC")) {
      return {rate: (bytes[18] << 12) | (bytes[19] << 4) | (bytes[20] >> 4), channels: ((bytes[20] >> 1) & 7) + 1};
    }
    if (starts("OggS") && starts("OpusHead", 28)) return {rate: 48000, channels: bytes[37]};
    if (starts("OggS")) {
      const vorbis = find("\x01vorbis");
      return {rate: view.getUint32(vorbis + 12, true), channels: bytes[vorbis + 11]};
    }
    if (starts("ftyp", 4)) {
      const sound = find("mp4a", find("stsd"));
      return {rate: view.getUint16(sound + 28), channels: null};
    }
    return {rate: mp3Rate(bytes, starts), channels: null};
  } catch (error) {
    if (error instanceof RangeError) return {rate: null, channels: null}; // it ends too early
    throw error;
  }
}

function mp3Rate(bytes, starts) {
  let at = 0;
  if (starts("ID3")) { // its size is in seven bits of four bytes
    at = 10 + ((bytes[6] << 21) | (bytes[7] << 14) | (bytes[8] << 7) | bytes[9]);
  }
  for (; at + 4 < bytes.length; at++) {
    const version = (bytes[at + 1] >> 3) & 3, index = (bytes[at + 2] >> 2) & 3;
    if (bytes[at] === 255 && bytes[at + 1] >> 5 === 7 && version !== 1 && index < 3) {
      return [44100, 48000, 32000][index] / {3: 1, 2: 2, 0: 4}[version];
    }
  }
  return null;
}

/** A button that opens the browser's choice of files: [its label, the input behind it]. */
export function fileButton(id, words, onfiles, kind = "button") {
  const input = h("input", {type: "file", accept: "audio/*,.mp3,.m4a,.wav,.flac,.ogg,.opus", class: "said", id,
    onchange: () => onfiles(input.files)});
  const label = h("label", {class: kind, for: id, tabindex: 0}, words);
  label.onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    input.click();
  };
  return [label, input];
}

/** How long a sound file is, in s, as the browser finds out without decoding it; null if it cannot. */
export function durationOf(file) {
  return new Promise((resolve) => {
    const audio = new Audio(), url = URL.createObjectURL(file);
    const end = (seconds) => {
      clearTimeout(timer);
      audio.removeAttribute("src");
      URL.revokeObjectURL(url);
      resolve(Number.isFinite(seconds) ? seconds : null);
    };
    const timer = setTimeout(() => end(null), 4000);
    audio.onloadedmetadata = () => end(audio.duration);
    audio.onerror = () => end(null);
    audio.preload = "metadata";
    audio.src = url;
  });
}

function checkChannels(channels, name) {
  if ([1, 2, 4, 6].includes(channels)) return;
  throw new Error(`${name} has ${channels} channels; this page takes mono, stereo and 5.1.`);
}

/**
 * A file's sound: {channels, rate, note}, one or two Float32Arrays at the file's own rate. Surround
 * is mixed down to stereo, as the note says. Throws an Error of one sentence.
 */
export async function readSong(file, longest) {
  const name = `“${file.name}”`, unreadable = `${name} is not a sound file that this browser can read.`;
  if (!file.size) throw new Error(`${name} is empty.`);
  const seconds = await durationOf(file), minutes = Math.floor(longest / 60);
  const long = (s) => `${name} is ${Math.round(s / 60)} minutes long; on this device this page takes up to ` +
    `${minutes}. For more there is the command “unmix-lite separate”.`;
  if (seconds > longest) throw new Error(long(seconds));
  // Where the browser cannot tell: a file of that size is either long or uncompressed and long.
  if (seconds === null && file.size > longest * 8 * 48000) throw new Error(unreadable);
  const head = headOf(new Uint8Array(await file.slice(0, 1 << 20).arrayBuffer()));
  const rate = Math.min(96000, Math.max(8000, head.rate || 44100));
  checkChannels(head.channels ?? 2, name);
  let buffer;
  try {
    buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Error(unreadable);
  }
  if (!buffer.length) throw new Error(`There is no sound in ${name}.`);
  if (buffer.duration > longest) throw new Error(long(buffer.duration));
  let note = "";
  if (buffer.numberOfChannels > 2) {
    checkChannels(buffer.numberOfChannels, name);
    note = `Its ${buffer.numberOfChannels} channels were mixed down to two.`;
    const context = new OfflineAudioContext(2, buffer.length, rate);
    const source = new AudioBufferSourceNode(context, {buffer});
    source.connect(context.destination);
    source.start();
    buffer = await context.startRendering();
  }
  const channels = Array.from({length: buffer.numberOfChannels}, (_, c) => buffer.getChannelData(c));
  return {channels, rate, note};
}

/**
 * A WAV file of 16 bits. read(start, length) -> one or two Float32Arrays; all are multiplied by
 * `gain`, and what then exceeds full scale is cut: choose it so that nothing does.
 */
export function wav(read, channels, samples, rate, gain = 1) {
  const size = 2 * channels * samples, head = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((letter, i) => head.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF"); head.setUint32(4, 36 + size, true); text(8, "WAVEfmt ");
  head.setUint32(16, 16, true); head.setUint16(20, 1, true); head.setUint16(22, channels, true);
  head.setUint32(24, rate, true); head.setUint32(28, 2 * channels * rate, true);
  head.setUint16(32, 2 * channels, true); head.setUint16(34, 16, true);
  text(36, "data"); head.setUint32(40, size, true);
  const parts = [head.buffer];
  for (let start = 0; start < samples; start += PIECE * rate) {
    const length = Math.min(PIECE * rate, samples - start), sides = read(start, length);
    const out = new Int16Array(channels * length);
    for (let n = 0; n < length; n++) {
      for (let c = 0; c < channels; c++) {
        out[channels * n + c] = Math.max(-32768, Math.min(32767, Math.round(32767 * gain * sides[c][n])));
      }
    }
    parts.push(new Blob([out])); // which the browser may keep on the disk
  }
  return new Blob(parts, {type: "audio/wav"});
}

/** The largest sample of what `read` gives. */
export function peakOf(read, samples, rate) {
  let peak = 0;
  for (let start = 0; start < samples; start += PIECE * rate) {
    for (const side of read(start, Math.min(PIECE * rate, samples - start))) {
      for (const value of side) if (Math.abs(value) > peak) peak = Math.abs(value);
    }
  }
  return peak;
}

const CRC = Uint32Array.from({length: 256}, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

async function checksum(blob) {
  let crc = 0xffffffff;
  for (let at = 0; at < blob.size; at += 1 << 22) {
    const bytes = new Uint8Array(await blob.slice(at, at + (1 << 22)).arrayBuffer());
    for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A zip file of blobs, stored as they are: [{name, blob}]. */
export async function zip(files) {
  const parts = [], entries = [];
  let offset = 0;
  for (const {name, blob} of files) {
    const letters = new TextEncoder().encode(name), crc = await checksum(blob);
    const entry = (central) => {
      const view = new DataView(new ArrayBuffer(central ? 46 : 30)), at = central ? 2 : 0;
      view.setUint32(0, central ? 0x02014b50 : 0x04034b50, true);
      if (central) view.setUint16(4, 20, true);
      view.setUint16(4 + at, 20, true);
      view.setUint16(6 + at, 0x800, true); // the name is UTF-8
      view.setUint32(10 + at, 0x00210000, true); // 1 January 1980: no clock is asked
      view.setUint32(14 + at, crc, true);
      view.setUint32(18 + at, blob.size, true);
      view.setUint32(22 + at, blob.size, true);
      view.setUint16(26 + at, letters.length, true);
      if (central) view.setUint32(42, offset, true);
      return view.buffer;
    };
    entries.push(entry(true), letters);
    parts.push(entry(false), letters, blob);
    offset += 30 + letters.length + blob.size;
  }
  const directory = new Blob(entries), end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, directory.size, true);
  end.setUint32(16, offset, true);
  return new Blob([...parts, directory, end.buffer], {type: "application/zip"});
}

/** Hand a file to the reader's disk. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
