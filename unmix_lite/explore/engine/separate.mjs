// From a song to its stems: STFT, networks, Wiener filter, inverse STFT, some seconds at a time.
//
// The networks see a segment of several windows and a margin on either side, in which their memory
// settles; the filter works on windows of frames as in Python. Memory does not grow with the song.

import {OverlapAdd, STFT} from "./fft.mjs";
import {averageRepetitions} from "./repetition.mjs";
import {Wiener} from "./wiener.mjs";

const WINDOWS = 4; // per segment
const MARGIN = 130; // frames: 3 s, after which a network of this size has forgotten how it began

/** How `unmix_lite.WienerFilter` is set for the models of this package. */
export const FILTER = {iterations: 3, posterior: true, neighbours: 40, window: 300};
const SEARCHES = 2; // that repetitions are looked for, each time in better estimates

export class Separator {
  /** networks: of `network.mjs`, in the order of the stems. */
  constructor(kernel, networks, {nFft = 4096, hop = 1024, filter = FILTER} = {}) {
    Object.assign(this, {kernel, networks, filter});
    this.stft = new STFT(nFft, hop);
    const {row} = this.stft, J = networks.length, T = filter.window;
    const frames = WINDOWS * T + 2 * MARGIN;
    this.seen = kernel.block(frames * networks[0].encode.width);
    this.both = networks.map((network) => kernel.block(frames * 2 * network.hidden));
    this.mixture = kernel.block(T * 4 * row);
    this.phase = kernel.block(T * 4 * row);
    this.magnitudes = kernel.block(T * J * 2 * row);
    this.averaged = kernel.block(T * J * 2 * row);
    this.mask = kernel.block(T * 2 * this.stft.bins);
    this.stems = kernel.block(T * J * 4 * row);
    this.wiener = new Wiener(kernel, J, T, row);
  }

  /**
   * Separate a song [left, right] at the networks' rate.
   *
   * Yields {done} now and then: what part is done, 0 to 1. `emit(stem, first, left, right)` is called
   * with the samples that are finished, from the first on; the arrays are used again.
   */
  *run(song, emit) {
    const {stft, networks, filter} = this;
    const samples = song[0].length, frames = stft.frames(samples), T = filter.window;
    const outputs = networks.map(() => new OverlapAdd(stft, samples));
    for (let begin = 0; begin < frames; begin += WINDOWS * T) {
      const end = Math.min(begin + WINDOWS * T, frames);
      const first = Math.max(0, begin - MARGIN), last = Math.min(frames, end + MARGIN);
      this.see(song, first, last);
      for (const [j, network] of networks.entries()) {
        network.run(this.seen, last - first, this.both[j]);
        yield {done: (begin + (end - begin) * 0.5 * ((j + 1) / networks.length)) / frames};
      }
      for (let start = begin; start < end; start += T) {
        const stop = Math.min(start + T, end);
        this.window(song, start, stop, start - first);
        this.write(outputs, stop - start, emit);
        yield {done: (begin + (end - begin) / 2 + (stop - begin) / 2) / frames};
      }
    }
  }

  /** The frames' magnitudes as the networks are fed them. */
  see(song, first, last) {
    const {stft, seen, networks} = this, {row} = stft, {maxBin, encode} = networks[0];
    const frame = this.mixture.values, out = seen.values;
    for (let t = first; t < last; t++) {
      stft.analyse(song, t, frame, 0);
      const at = (t - first) * encode.width;
      for (let k = 0; k < maxBin; k++) {
        out[at + k] = Math.sqrt(frame[k] ** 2 + frame[row + k] ** 2);
        out[at + maxBin + k] = Math.sqrt(frame[2 * row + k] ** 2 + frame[3 * row + k] ** 2);
      }
    }
  }

  /** The stems' spectra of one window, into `this.stems`; `place`: where it begins in the segment. */
  window(song, start, stop, place) {
    const {kernel, stft, networks, filter, mixture, phase, magnitudes, stems} = this;
    const {row, bins} = stft, J = networks.length, frames = stop - start;
    const x = mixture.values, p = phase.values, m = magnitudes.values;
    for (let t = 0; t < frames; t++) {
      const at = 4 * t * row;
      stft.analyse(song, start + t, x, at);
      for (let channel = 0; channel < 2; channel++) {
        const re = at + 2 * channel * row, im = re + row;
        for (let k = 0; k < row; k++) {
          const size = Math.sqrt(x[re + k] ** 2 + x[im + k] ** 2);
          p[re + k] = size ? x[re + k] / size : 1;
          p[im + k] = size ? x[im + k] / size : 0;
        }
      }
    }
    for (const [j, network] of networks.entries()) {
      network.mask(this.both[j].from(place * 2 * network.hidden), frames, this.mask);
      const mask = this.mask.values;
      for (let t = 0; t < frames; t++) {
        for (let channel = 0; channel < 2; channel++) {
          const re = (4 * t + 2 * channel) * row, to = ((t * J + j) * 2 + channel) * row;
          const from = (2 * t + channel) * bins;
          for (let k = 0; k < bins; k++) {
            m[to + k] = mask[from + k] * Math.sqrt(x[re + k] ** 2 + x[re + row + k] ** 2);
          }
        }
      }
    }
    const {iterations, posterior, neighbours} = filter;
    this.wiener.filter(stems, magnitudes, mixture, phase, frames, iterations, posterior);
    for (let search = 0; neighbours && search < SEARCHES; search++) {
      averageRepetitions(kernel, this.averaged, magnitudes, stems, frames, J, row, neighbours);
      this.wiener.filter(stems, this.averaged, mixture, phase, frames, iterations, posterior);
    }
  }

  /** A window's spectra as samples. */
  write(outputs, frames, emit) {
    const {row} = this.stft, J = outputs.length, rows = this.stems.values;
    for (const [j, output] of outputs.entries()) {
      for (let t = 0; t < frames; t++) {
        output.push(rows, (t * J + j) * 4 * row, (first, left, right) => emit(j, first, left, right));
      }
    }
  }
}
