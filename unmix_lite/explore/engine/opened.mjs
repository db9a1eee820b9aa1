// Open-Unmix with nothing thrown away: every tensor of a few seconds, and of the same seconds with
// silence after some frame. (`memory.mjs` runs it over songs, and keeps as little as it can.)

import {Network} from "./network.mjs";
import {Side} from "./side.mjs";
import {OverlapAdd, STFT} from "./stft.mjs";
import {readSafetensors} from "./weights.mjs";

const AFTER = 11; // frames after the cut whose change is told, a quarter of a second

/** Magnitudes of a spectrum (two `Side`s), as a network is fed them: {seen, magnitude, spectra, frames}. */
export function look(kernel, stft, sides, maxBin, width) {
  const frames = stft.frames(sides[0].length), {row, bins} = stft;
  const spectra = kernel.block(frames * 4 * row), seen = kernel.block(frames * width);
  const all = kernel.block(frames * 2 * bins);
  for (let t = 0; t < frames; t++) {
    const rows = spectra.from(4 * t * row);
    stft.analyse(sides, t, rows);
    for (const channel of [0, 1]) {
      const re = rows.from(2 * channel * row), im = rows.from((2 * channel + 1) * row);
      kernel.magnitude(seen.from(t * width + channel * maxBin), re, im, null, maxBin);
      kernel.magnitude(all.from((2 * t + channel) * bins), re, im, null, bins);
    }
  }
  return {frames, spectra, seen, magnitude: all.values.slice()};
}

export class Opened {
  /** network: of `network.mjs`. seen: of `look`, (frames, encode.width). */
  constructor(network, seen, frames) {
    const {kernel, hidden} = network;
    Object.assign(this, {network, frames});
    this.encoded = kernel.block(frames * hidden);
    network.first(seen, frames, this.encoded);
    // One frame of silence, as the first stage sees it.
    this.silence = kernel.block(hidden);
    network.first(kernel.block(network.encode.width), 1, this.silence);
  }

  /**
   * Every tensor where the sound is silent from frame `cut` on: {fc1, lstm1, lstm2 ..., skip, fc2, fc3,
   * mask}, Float32Arrays whose rows are frames.
   */
  run(cut = this.frames) {
    const {network, frames} = this, {kernel, hidden, width, bins, decode, output} = network;
    const mark = kernel.end, out = {};
    const both = kernel.block(frames * 2 * hidden);
    let rows = kernel.block(frames * hidden);
    const first = rows.values;
    first.set(this.encoded.values.subarray(0, cut * hidden));
    for (let t = cut; t < frames; t++) first.set(this.silence.values.subarray(0, hidden), t * hidden);
    out.fc1 = first.slice(0, frames * hidden);
    for (const [l, directions] of network.layers.entries()) {
      const next = kernel.block(frames * hidden);
      directions.forEach((direction, i) => {
        network.recur(direction, rows, frames, network.state(), next.from(i * width), hidden);
      });
      rows = next;
      out[`lstm${l + 1}`] = rows.values.slice(0, frames * hidden);
    }
    const beside = both.values;
    for (let t = 0; t < frames; t++) {
      beside.set(out.fc1.subarray(t * hidden, (t + 1) * hidden), 2 * t * hidden);
      beside.set(rows.values.subarray(t * hidden, (t + 1) * hidden), (2 * t + 1) * hidden);
    }
    out.skip = both.values.slice(0, frames * 2 * hidden);
    const mixed = kernel.block(frames * hidden), drawn = kernel.block(frames * 2 * bins);
    kernel.multiply(mixed, both, decode.block, decode.bias, frames, hidden, 2 * hidden, 0);
    kernel.rectify(mixed, frames * hidden);
    out.fc2 = mixed.values.slice(0, frames * hidden);
    kernel.multiply(drawn, mixed, output.block, output.bias, frames, 2 * bins, hidden, 0);
    out.fc3 = drawn.values.slice(0, frames * 2 * bins);
    out.mask = out.fc3.map((x) => Math.max(0, x));
    kernel.release(mark);
    return out;
  }
}

/** What runs in the page once the weights are here: both networks on the sound. */
export class OpenedPair {
  constructor(kernel, files, sides, {networks, nFft, hop, rate, seconds}) {
    Object.assign(this, {kernel, hop, rate, seconds, length: sides[0].length, stft: new STFT(kernel, nFft, hop)});
    const built = Object.entries(networks).map(([name, about]) => [name, new Network(kernel, readSafetensors(files[name]), about)]);
    const {maxBin, encode} = built[0][1];
    Object.assign(this, look(kernel, this.stft, sides.map((side) => new Side(side)), maxBin, encode.width));
    this.opened = Object.fromEntries(built.map(([name, network]) => [name, new Opened(network, this.seen, this.frames)]));
    this.whole = Object.fromEntries(built.map(([name]) => [name, this.opened[name].run()]));
    this.means = Object.fromEntries(built.map(([name]) => [name, mean(this.whole[name].mask)]));
  }

  /** The first frame that is silent. */
  frame(cut) { return cut >= this.seconds ? this.frames : Math.min(this.frames, Math.floor((cut * this.rate) / this.hop + 0.5)); }

  /**
   * What a network makes of the sound that is silent from frame `at` on: {tensors; change: of its mask
   * per frame, in per cent of the mask's mean; changed: the mean of that over the second before}.
   */
  run(name, at) {
    const {frames, whole, rate, hop} = this, width = 2 * this.stft.bins;
    const tensors = at < frames ? this.opened[name].run(at) : whole[name];
    const mixture = this.magnitude.slice().fill(0, at * width);
    const moved = this.change(whole[name].mask, tensors.mask, width).map((x) => (100 * x) / this.means[name]);
    const second = moved.slice(Math.max(0, at - Math.round(rate / hop)), at);
    return {
      tensors: {...tensors, mixture, estimate: mixture.map((x, i) => x * tensors.mask[i])},
      change: moved.slice(0, at + AFTER), changed: at < frames ? mean(second) : 0,
    };
  }

  /** The mean absolute difference of two masks, per frame. */
  change(one, other, width) {
    return Array.from({length: one.length / width}, (_, t) => {
      let sum = 0;
      for (let i = t * width; i < (t + 1) * width; i++) sum += Math.abs(one[i] - other[i]);
      return sum / width;
    });
  }

  /** The mask on the mixture's spectra, as sound; silent from frame `at` on. */
  sound(mask, at) {
    const {kernel, stft, spectra, length} = this, {row, bins} = stft, mark = kernel.end;
    const out = [new Float32Array(length), new Float32Array(length)];
    const sums = new OverlapAdd(stft, length), frame = kernel.block(4 * row);
    for (let t = 0; t < this.frames; t++) {
      const from = spectra.values.subarray(4 * t * row, 4 * (t + 1) * row), rows = frame.values;
      for (let i = 0; i < rows.length; i++) {
        const k = i % row, channel = Math.floor(i / (2 * row));
        rows[i] = t < at && k < bins ? from[i] * mask[(2 * t + channel) * bins + k] : 0;
      }
      sums.push(frame, (first, left, right) => { out[0].set(left, first); out[1].set(right, first); });
    }
    kernel.release(mark);
    return out;
  }
}

export function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
