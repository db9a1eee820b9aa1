// `unmix`: what a page calls. Fetches the weights, starts the worker, and gives stems.
//
//   await unmix.load((part) => ...);
//   const {rate, stems} = await unmix.separate({channels: [left, right], rate, onProgress, signal});

const CACHE = "unmix-lite-weights";
const LONGEST = 3600; // s; beyond, a browser's memory for the song itself ends

export class Unmix {
  /**
   * `files`: a function from a name (model.json, kernel.wasm, vocals.int8.safetensors ...) to a
   * URL, or to the bytes themselves. `makeWorker`: a function that returns the Worker.
   */
  constructor(files, makeWorker) {
    Object.assign(this, {files, makeWorker, worker: null, loading: null, waiting: new Map(), last: 0});
    this.queue = Promise.resolve();
  }

  /** Fetch the weights, once; `progress` is told what part is here, 0 to 1. */
  load(progress = () => {}) {
    this.loading ??= this.fetchAll(progress).catch((error) => {
      this.loading = null; // so that a second click tries again
      throw error;
    });
    return this.loading;
  }

  /** What a worker or worklet is given to begin: {about, kernel, weights}. */
  async fetched(progress = () => {}) {
    const about = JSON.parse(new TextDecoder().decode(await this.read({name: "model.json"})));
    const size = about.files.reduce((sum, file) => sum + file.bytes, 0);
    const read = {};
    let here = 0;
    for (const file of about.files) {
      read[file.name] = await this.read(file, (bytes) => progress((here + bytes) / size));
      here += file.bytes;
    }
    const weights = Object.fromEntries(
      about.files.filter((file) => file.target).map((file) => [file.target, read[file.name]]),
    );
    return {about, kernel: read["kernel.wasm"], weights};
  }

  async fetchAll(progress) {
    const message = await this.fetched(progress);
    this.start();
    const {simd} = await this.ask(message, Object.values(message.weights));
    Object.assign(this, {about: message.about, simd});
    progress(1);
  }

  start() {
    this.worker = this.makeWorker();
    this.worker.onmessage = ({data}) => this.waiting.get(data.id)?.(data);
    this.worker.onerror = (event) => {
      event.preventDefault?.();
      for (const answer of this.waiting.values()) answer({error: event.message || "The worker stopped."});
      this.close();
    };
  }

  /** Give all memory back; the next song loads the weights again, from the browser's cache. */
  close() {
    this.worker?.terminate();
    Object.assign(this, {worker: null, loading: null});
  }

  /** A file's bytes: from the cache where its checksum is known, else fetched, checked and kept. */
  async read({name, sha256}, progress = () => {}) {
    const source = await this.files(name);
    if (typeof source !== "string") return source;
    const cache = sha256 && (await globalThis.caches?.open(CACHE).catch(() => null));
    const key = sha256 && new URL(`${source}?sha256=${sha256}`, location.href).href;
    const kept = cache && (await cache.match(key).catch(() => null));
    if (kept) return kept.arrayBuffer();
    const response = await fetch(source).catch(() => null);
    const buffer = response?.ok && (await readAll(response, progress).catch(() => null));
    if (!buffer) {
      throw new Error(location.protocol === "file:"
        ? "A page that was opened from a folder cannot fetch the networks; “make page” writes one that holds them."
        : "The networks could not be fetched. Is there a connection? Then try again.");
    }
    if (sha256 && ![sha256, null].includes(await checksum(buffer))) {
      throw new Error("The networks arrived damaged. Please try again.");
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
      try {
        this.worker.postMessage({...message, id}, transfer);
      } catch {
        this.worker.postMessage({...message, id}); // a browser that lends this memory to no one copies it
      }
    });
  }

  /**
   * Separate a song and keep nothing of it: `onPiece({done, stems})` is given each piece, in order,
   * as {vocals: [left, right], ...}. The channels' memory moves to the worker; they may
   * be Int16Arrays, of which 32767 means `scale`.
   */
  pieces({channels, rate, scale = 1, onPiece, signal, filter}) {
    checkSong(channels, rate);
    // One song after another: the worker has memory for one.
    const turn = this.queue.then(async () => {
      signal?.throwIfAborted();
      await this.load();
      const {targets} = this.about, id = ++this.last;
      const stop = () => this.worker?.postMessage({stop: id});
      const take = ({done, stems}) => onPiece({
        done, stems: Object.fromEntries(targets.map((target, j) => [target, stems[j]])),
      });
      signal?.addEventListener("abort", stop);
      try {
        signal?.throwIfAborted();
        await this.ask({song: channels, rate, scale, filter}, channels.map((side) => side.buffer), take, id);
      } finally {
        signal?.removeEventListener("abort", stop);
      }
      signal?.throwIfAborted();
    });
    this.queue = turn.catch(() => {});
    return turn;
  }

  /**
   * Separate a song.
   *
   * channels: one or two Float32Arrays of the same length; rate: in Hz. onProgress({done, stems,
   * samples}): what part is done, the stems, and how many samples of them are there. signal: an
   * AbortSignal. Returns {rate, stems}: of each stem Float32Arrays, as many and as long as the
   * song's; together they are the song.
   */
  async separate({channels, rate, onProgress = () => {}, signal, filter}) {
    checkSong(channels, rate);
    await this.load();
    const [{length}] = channels;
    const stems = Object.fromEntries(
      this.about.targets.map((target) => [target, channels.map(() => new Float32Array(length))]),
    );
    let samples = 0;
    const onPiece = ({done, stems: piece}) => {
      for (const [target, sides] of Object.entries(piece)) {
        sides.forEach((side, c) => stems[target][c].set(side, samples));
      }
      samples += Object.values(piece)[0][0].length;
      onProgress({done, stems, samples});
    };
    await this.pieces({channels: channels.map((side) => side.slice()), rate, onPiece, signal, filter});
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
