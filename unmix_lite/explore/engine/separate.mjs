// From a song to its stems: STFT, networks, Wiener filter, inverse STFT, some seconds at a time.
//
// The networks' narrow stages run over the whole song first, since they look both ways; the wide
// ones and the filter work on windows of frames, as in Python.

import {FRAMES, remember} from "./memory.mjs";
import {averageRepetitions} from "./repetition.mjs";
import {OverlapAdd, STFT} from "./stft.mjs";
import {Wiener} from "./wiener.mjs";

const LISTENING = 0.3; // what part of the time it takes to go over the song first
const SEARCHES = 2; // that repetitions are looked for, each time in better estimates

export class Separator {
  /**
   * networks: of `network.mjs`, in the order of the stems. filter: {iterations, posterior,
   * neighbours, window}, as `unmix_lite.WienerFilter` has them.
   */
  constructor(kernel, networks, {nFft, hop, filter}) {
    Object.assign(this, {kernel, networks, filter});
    this.stft = new STFT(kernel, nFft, hop);
    const {row} = this.stft, J = networks.length, T = filter.window;
    this.seen = kernel.block(FRAMES * networks[0].encode.width);
    this.mixture = kernel.block(T * 4 * row);
    this.magnitudes = kernel.block(T * J * 2 * row);
    this.averaged = kernel.block(T * J * 2 * row);
    this.mask = kernel.block(T * 2 * this.stft.bins);
    this.stems = kernel.block(T * J * 4 * row);
    this.wiener = new Wiener(kernel, J, T, row);
  }

  /**
   * Separate a song at the networks' rate: two `Side`s, or one twice.
   *
   * Yields {done} now and then: what part is done, 0 to 1. `emit(stem, first, left, right)` is called
   * with the samples that are finished, from the first on; the arrays are used again.
   */
  *run(song, emit) {
    const {stft, networks, filter} = this;
    const frames = stft.frames(song[0].length);
    const outputs = networks.map(() => new OverlapAdd(stft, song[0].length));
    const listening = remember(this.kernel, networks, frames, (first, last) => this.see(song, first, last));
    let step = listening.next();
    for (; !step.done; step = listening.next()) yield {done: LISTENING * step.value};
    for (let start = 0; start < frames; start += filter.window) {
      const stop = Math.min(start + filter.window, frames);
      this.window(song, start, stop, step.value);
      this.write(outputs, stop - start, emit);
      yield {done: LISTENING + ((1 - LISTENING) * stop) / frames};
    }
  }

  /** The frames' magnitudes as the networks are fed them. */
  see(song, first, last) {
    const {kernel, stft, seen, networks, mixture} = this, {row} = stft;
    const {maxBin, encode} = networks[0];
    for (let t = first; t < last; t++) {
      stft.analyse(song, t, mixture);
      const at = (t - first) * encode.width;
      for (const channel of [0, 1]) {
        kernel.magnitude(seen.from(at + channel * maxBin), mixture.from(2 * channel * row),
                         mixture.from((2 * channel + 1) * row), null, maxBin);
      }
    }
    return seen;
  }

  /** The stems' spectra of one window, into `this.stems`. */
  window(song, start, stop, memories) {
    const {kernel, stft, mixture, magnitudes, stems, wiener} = this;
    const {row} = stft, J = memories.length, frames = stop - start;
    for (let t = 0; t < frames; t++) stft.analyse(song, start + t, mixture.from(4 * t * row));
    memories.forEach((memory, j) => {
      memory.mask(start, stop, this.mask);
      this.guess(j, frames);
    });
    const {iterations, posterior, neighbours} = this.filter;
    wiener.prepare(mixture, frames);
    wiener.filter(stems, magnitudes, frames, iterations, posterior);
    for (let search = 0; neighbours && search < SEARCHES; search++) {
      averageRepetitions(kernel, this.averaged, magnitudes, stems, frames, J, row, neighbours);
      wiener.filter(stems, this.averaged, frames, iterations, posterior);
    }
  }

  /** Stem j's magnitudes: its mask times the mixture's. */
  guess(j, frames) {
    const {kernel, mixture, magnitudes, mask} = this, {row, bins} = this.stft;
    for (let t = 0; t < frames; t++) {
      for (const channel of [0, 1]) {
        const x = (4 * t + 2 * channel) * row, to = ((t * this.networks.length + j) * 2 + channel) * row;
        kernel.magnitude(magnitudes.from(to), mixture.from(x), mixture.from(x + row),
                         mask.from((2 * t + channel) * bins), bins);
      }
    }
  }

  /** A window's spectra as samples. */
  write(outputs, frames, emit) {
    const {row} = this.stft, J = outputs.length;
    for (const [j, output] of outputs.entries()) {
      for (let t = 0; t < frames; t++) {
        output.push(this.stems.from((t * J + j) * 4 * row),
                    (first, left, right) => emit(j, first, left, right));
      }
    }
  }
}
