// The STFT of a whole sound and its inverse, as `unmix_lite.STFT` takes them.

import {Plain} from "../engine/kernel.mjs";
import {Side} from "../engine/side.mjs";
import {OverlapAdd, STFT} from "../engine/stft.mjs";

export class Spectra {
  constructor(nFft, hop) {
    this.stft = new STFT(new Plain(), nFft, hop);
    Object.assign(this, {nFft, hop, bins: this.stft.bins});
    this.frame = this.stft.kernel.block(4 * this.stft.row);
  }

  /** A Float32Array's spectrum: {frames, bins, re, im}, bin k of frame t at t * bins + k. */
  analyse(samples) {
    const {stft, bins, frame} = this, {row} = stft, frames = stft.frames(samples.length);
    const re = new Float32Array(frames * bins), im = new Float32Array(frames * bins);
    const side = new Side(samples);
    for (let t = 0; t < frames; t++) {
      stft.analyse([side, side], t, frame);
      re.set(frame.values.subarray(0, bins), t * bins);
      im.set(frame.values.subarray(row, row + bins), t * bins);
    }
    return {frames, bins, re, im};
  }

  /** `length` samples of a spectrum. */
  inverse({frames, re, im}, length) {
    const {stft, bins, frame} = this, {row} = stft, out = new Float32Array(length), rows = frame.values;
    const sums = new OverlapAdd(stft, length);
    rows.fill(0);
    for (let t = 0; t < frames; t++) {
      rows.set(re.subarray(t * bins, (t + 1) * bins));
      rows.set(im.subarray(t * bins, (t + 1) * bins), row);
      sums.push(frame, (first, left) => out.set(left, first));
    }
    return out;
  }
}

/** Magnitudes of a spectrum. */
export function magnitudes({re, im}) { return re.map((x, i) => Math.hypot(x, im[i])); }

/** 10 log10 of the energy of the source over that of the error, in dB (chapter 9's plain SDR). */
export function sdr(reference, estimate) {
  let signal = 0, noise = 0;
  for (let n = 0; n < reference.length; n++) {
    signal += reference[n] ** 2;
    noise += (reference[n] - estimate[n]) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

/** Draw magnitudes (frames, bins) on a canvas, logarithmic in frequency; `top` is the brightest. */
export function drawSpectrum(canvas, values, frames, bins, {nyquist, low = 80, high = nyquist, top, span = 60, colour}) {
  const width = canvas.width = frames, {height} = canvas, context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const rows = Array.from({length: height}, (_, y) =>
    Math.min(bins - 1, Math.round(((low * (high / low) ** (1 - y / height)) / nyquist) * (bins - 1))));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = 1 + (20 * Math.log10(values[x * bins + rows[y]] / top + 1e-9)) / span;
      image.data.set(colour(Math.min(1, Math.max(0, level))), 4 * (y * width + x));
      image.data[4 * (y * width + x) + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}
