// The engine's own thread: it is given weights once, then songs, one at a time.

import {loadKernel} from "./kernel.mjs";
import {Network} from "./network.mjs";
import {Resampler, resampled} from "./resample.mjs";
import {Separator} from "./separate.mjs";
import {Side} from "./side.mjs";
import {readSafetensors} from "./weights.mjs";

let kernel, networks, about, stopped = 0;

/** Until messages that came meanwhile have been read; a timer would be slowed in a hidden tab. */
const breathe = () => new Promise((resolve) => {
  const {port1, port2} = new MessageChannel();
  port1.onmessage = () => { port1.close(); resolve(); };
  port2.postMessage(0);
});

async function load(message) {
  about = message.about;
  kernel = await loadKernel(message.kernel);
  networks = about.targets.map(
    (target) => new Network(kernel, readSafetensors(message.weights[target]), about.networks[target]),
  );
  return {simd: kernel.simd};
}

/** Stems go out in pieces, one message for each window of frames. */
async function separate({id, song, rate, scale, filter}) {
  const mark = kernel.end;
  try {
    const all = song.map((samples) => new Side(samples, scale)), pieces = new Pieces(all, rate);
    const sides = rate === about.rate ? all : all.map((side) => new Side(resampled(side, rate, about.rate)));
    const separator = new Separator(kernel, networks, {
      nFft: about.n_fft, hop: about.hop_length, filter: {...about.filter, ...filter},
    });
    const emit = (j, first, left, right) => pieces.add(j, left, right);
    for (const {done} of separator.run([sides[0], sides.at(-1)], emit)) {
      if (stopped >= id) return {stopped: true};
      const stems = pieces.take(done >= 1);
      self.postMessage({id, done, stems}, stems.flat().map((side) => side.buffer));
      await breathe();
    }
    return {};
  } finally {
    kernel.release(mark);
  }
}

/** Stems on their way out: at the song's rate, as many channels as it has, and adding up to it. */
class Pieces {
  /** song: a `Side` for each channel. */
  constructor(song, rate) {
    Object.assign(this, {song, at: 0, waiting: about.targets.map(() => [])});
    const [{length}] = song;
    this.resamplers = rate === about.rate ? null : about.targets.map(
      () => song.map(() => new Resampler(about.rate, rate, length)),
    );
  }

  add(j, left, right) {
    this.waiting[j].push(this.song.length === 2 ? [left.slice(), right.slice()]
      : [left.map((value, n) => (value + right[n]) / 2)]);
  }

  take(last) {
    const stems = this.waiting.map((parts, j) => this.song.map((_, c) => {
      const side = joined(parts.map((part) => part[c]));
      return this.resamplers ? this.resamplers[j][c].push(side, last) : side;
    }));
    this.waiting = this.waiting.map(() => []);
    const length = stems[0][0].length, other = about.targets.indexOf("other");
    // "other" also gets what no network claims, so that the stems add up to the song.
    if (other >= 0) this.song.forEach((channel, c) => {
      const rest = stems[other][c];
      channel.read(this.at, rest);
      stems.forEach((stem, j) => {
        if (j !== other) for (let n = 0; n < length; n++) rest[n] -= stem[c][n];
      });
    });
    this.at += length;
    return stems;
  }
}

function joined(parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}

self.onmessage = async ({data}) => {
  if (data.stop) { stopped = data.stop; return; }
  try {
    const result = await (data.weights ? load(data) : separate(data));
    self.postMessage({id: data.id, finished: true, ...result});
  } catch (error) {
    const memory = error instanceof RangeError || /memory/i.test(error?.message);
    self.postMessage({id: data.id, error: memory
      ? "This device has not enough memory for a song of this length."
      : String(error?.message ?? error)});
  }
};
