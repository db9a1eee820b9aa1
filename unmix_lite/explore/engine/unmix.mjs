// `unmix`: what a page calls. Fetches the weights, starts the worker, and gives stems.
//
//   await unmix.load((part) => ...);
//   const {rate, stems} = await unmix.separate({channels: [left, right], rate, onProgress, signal});

import {resample} from "./resample.mjs";

const CACHE = "unmix-lite-weights";
const LONGEST = 3600; // s; beyond, a browser's memory for the song itself ends

export class Unmix {
  /**
   * `files`: a function from a name (model.json, kernel.wasm, vocals.int8.safetensors ...) to a
   * URL, or to the bytes themselves. `makeWorker`: a function that returns the Worker.
   */
  constructor(files, makeWorker) {
    Object.assign(this, {files, makeWorker, worker: null, loading: null, waiting: new Map(), last: 0});
  }

  /** Fetch the weights, once; `progress` is told what part is here, 0 to 1. */
  load(progress = () => {}) {
    this.loading ??= this.fetchAll(progress).catch((error) => {
      this.loading = null; // so that a second click tries again
      throw error;
    });
    return this.loading;
  }

  async fetchAll(progress) {
    const about = JSON.parse(new TextDecoder().decode(await this.read({name: "model.json"})));
    this.about = about;
    const wanted = about.files.filter((file) => file.name !== "kernel.wasm");
    const size = wanted.reduce((sum, file) => sum + file.bytes, 0);
    let here = 0;
    const weights = {};
    for (const file of wanted) {
      const buffer = await this.read(file, (bytes) => progress((here + bytes) / size));
      here += file.bytes;
      weights[file.target] = buffer;
    }
    const kernel = await this.read(about.files.find((file) => file.name === "kernel.wasm"));
    this.worker = this.makeWorker();
    this.worker.onmessage = ({data}) => this.waiting.get(data.id)?.(data);
    this.worker.onerror = (event) => {
      for (const answer of this.waiting.values()) answer({error: event.message || "the worker failed"});
    };
    await this.ask({about, kernel, weights}, [kernel, ...Object.values(weights)]);
    progress(1);
  }

  /** A file's bytes: from the cache where its checksum is known, else fetched, checked and kept. */
  async read({name, sha256}, progress = () => {}) {
    const source = await this.files(name);
    if (typeof source !== "string") return source;
    const cache = sha256 && (await globalThis.caches?.open(CACHE).catch(() => null));
    const key = sha256 && new URL(`${source}?sha256=${sha256}`, location.href).href;
    const kept = cache && (await cache.match(key));
    if (kept) return kept.arrayBuffer();
    const response = await fetch(source).catch(() => null);
    if (!response?.ok) throw new Error("The weights could not be fetched. Is there a network? Then try again.");
    const buffer = await readAll(response, progress);
    if (sha256 && ![sha256, null].includes(await checksum(buffer))) {
      throw new Error("The weights arrived damaged. Please try again.");
    }
    await cache?.put(key, new Response(buffer)).catch(() => {}); // a full disk costs a fetch, no more
    return buffer;
  }

  /** A message to the worker, and its last answer; `onPiece` sees those before it. */
  ask(message, transfer = [], onPiece = () => {}, id = ++this.last) {
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (answer) => {
        if (!answer.finished && !answer.error) return onPiece(answer);
        this.waiting.delete(id);
        return answer.error ? reject(new Error(answer.error)) : resolve(answer);
      });
      this.worker.postMessage({...message, id}, transfer);
    });
  }

  /**
   * Separate a song.
   *
   * channels: one or two Float32Arrays of the same length; rate: in Hz. onProgress({done, stems})
   * is called with what is there so far. signal: an AbortSignal. Returns {rate, stems}: of each
   * stem Float32Arrays, as many and as long as the song's; together they are the song.
   */
  async separate({channels, rate, onProgress = () => {}, signal, filter}) {
    checkSong(channels, rate);
    await this.load();
    signal?.throwIfAborted();
    const {targets, rate: own} = this.about, samples = channels[0].length;
    const both = [channels[0], channels[channels.length - 1]].map((side) => resample(side, rate, own));
    const stems = Object.fromEntries(
      targets.map((target) => [target, channels.map(() => new Float32Array(samples))]),
    );
    const parts = rate === own ? null : targets.map(() => both.map((side) => new Float32Array(side.length)));
    let at = 0;
    const take = ({done, pieces}) => {
      const length = pieces[0][0].length;
      pieces.forEach((piece, j) => {
        if (parts) piece.forEach((side, c) => parts[j][c].set(side, at));
        else place(stems[targets[j]], piece, at);
      });
      if (!parts) complete(stems, channels, at, length);
      at += length;
      onProgress({done, stems: parts ? null : stems, samples: parts ? 0 : at});
    };
    const id = ++this.last;
    const stop = () => this.worker.postMessage({stop: id});
    signal?.addEventListener("abort", stop);
    try {
      await this.ask({song: both, filter}, both.map((side) => side.buffer), take, id);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    signal?.throwIfAborted();
    if (parts) {
      targets.forEach((target, j) => {
        place(stems[target], parts[j].map((side) => resample(side, own, rate, samples)), 0);
      });
      complete(stems, channels, 0, samples);
    }
    onProgress({done: 1, stems, samples});
    return {rate, stems};
  }
}

function checkSong(channels, rate) {
  if (!(rate > 0)) throw new Error("Say the song's sampling rate in Hz.");
  if (!channels?.length || channels.length > 2) {
    throw new Error("This separates mono and stereo; the file has another number of channels.");
  }
  const [{length}] = channels;
  if (!length) throw new Error("There is no sound in this file.");
  if (channels.some((side) => side.length !== length)) {
    throw new Error("The two channels differ in length.");
  }
  if (length / rate > LONGEST) {
    throw new Error("This is longer than an hour, too long for a browser; use `unmix-lite separate`.");
  }
}

/** A piece [left, right] into a stem from sample `at` on; a mono stem gets their mean. */
function place(stem, [left, right], at) {
  if (stem.length === 2) {
    stem[0].set(left, at);
    stem[1].set(right, at);
    return;
  }
  for (let n = 0; n < left.length; n++) stem[0][at + n] = (left[n] + right[n]) / 2;
}

/** "other" also gets what no network claims, so that the stems add up to the song. */
function complete(stems, channels, at, length) {
  if (!stems.other) return;
  const all = Object.values(stems);
  channels.forEach((song, c) => {
    for (let n = at; n < at + length; n++) {
      let sum = 0;
      for (const stem of all) sum += stem[c][n];
      stems.other[c][n] += song[n] - sum;
    }
  });
}

async function readAll(response, progress) {
  const parts = [], reader = response.body.getReader();
  let length = 0;
  for (;;) {
    const {done, value} = await reader.read();
    if (done) break;
    parts.push(value);
    progress(length += value.length);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all.buffer;
}

/** SHA-256 in hexadecimal; null where a page may not compute it, which trusts the connection. */
async function checksum(buffer) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", buffer);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
