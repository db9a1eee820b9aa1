// The discrete Fourier transform of 2^p numbers, and the STFT of a stereo song built on it.

/** Complex transforms of length n, a power of two, in place (Cooley and Tukey 1965). */
export class FFT {
  constructor(n) {
    this.n = n;
    this.cos = Float64Array.from({length: n / 2}, (_, k) => Math.cos((2 * Math.PI * k) / n));
    this.sin = Float64Array.from({length: n / 2}, (_, k) => Math.sin((2 * Math.PI * k) / n));
    const bits = Math.log2(n);
    this.reversed = Uint32Array.from({length: n}, (_, i) => {
      let r = 0;
      for (let b = 0; b < bits; b++) r |= ((i >> b) & 1) << (bits - 1 - b);
      return r;
    });
  }

  /** Forward: sum of x e^(-2 pi i k n / N). The inverse is this with re and im exchanged, over n. */
  forward(re, im) {
    const {n, cos, sin, reversed} = this;
    for (let i = 0; i < n; i++) {
      const j = reversed[i];
      if (j > i) {
        const r = re[i], m = im[i];
        re[i] = re[j]; im[i] = im[j];
        re[j] = r; im[j] = m;
      }
    }
    // The first two rounds need no multiplication: their factors are 1 and -i.
    for (let i = 0; i < n; i += 4) {
      const ar = re[i] + re[i + 1], ai = im[i] + im[i + 1];
      const br = re[i] - re[i + 1], bi = im[i] - im[i + 1];
      const cr = re[i + 2] + re[i + 3], ci = im[i + 2] + im[i + 3];
      const dr = re[i + 2] - re[i + 3], di = im[i + 2] - im[i + 3];
      re[i] = ar + cr; im[i] = ai + ci;
      re[i + 1] = br + di; im[i + 1] = bi - dr;
      re[i + 2] = ar - cr; im[i + 2] = ai - ci;
      re[i + 3] = br - di; im[i + 3] = bi + dr;
    }
    for (let half = 4; half < n; half *= 2) {
      const stride = n / (2 * half);
      for (let start = 0; start < n; start += 2 * half) {
        for (let k = 0, i = start, j = start + half; k < half; k++, i++, j++) {
          const c = cos[k * stride], s = sin[k * stride];
          const r = re[j] * c + im[j] * s, m = im[j] * c - re[j] * s;
          re[j] = re[i] - r; im[j] = im[i] - m;
          re[i] += r; im[i] += m;
        }
      }
    }
  }
}

/** The place in a song that a reflected position stands for; -1 where there is silence. */
function mirrored(position, samples, length) {
  let place = Math.abs(position);
  if (place >= length) place = 2 * (length - 1) - place;
  return place >= 0 && place < samples ? place : -1;
}

/**
 * The STFT as `unmix_lite.STFT` takes it: periodic Hann window, frames centred on multiples of the
 * hop, edges reflected. Both channels share one complex transform.
 *
 * A frame is four rows of `row` numbers: left real, left imaginary, right real, right imaginary;
 * `row` is the number of bins, rounded up to a multiple of four.
 */
export class STFT {
  constructor(nFft = 4096, hop = 1024) {
    Object.assign(this, {nFft, hop, bins: nFft / 2 + 1, row: Math.ceil((nFft / 2 + 1) / 4) * 4});
    this.fft = new FFT(nFft);
    this.re = new Float64Array(nFft);
    this.im = new Float64Array(nFft);
    this.window = Float64Array.from(
      {length: nFft}, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / nFft),
    );
  }

  frames(samples) { return 1 + Math.floor(samples / this.hop); }

  /** Frame t of a song [left, right] into `out`, four rows from `offset` on. */
  analyse([left, right], t, out, offset) {
    const {nFft, hop, bins, row, re, im, window} = this;
    const start = t * hop - nFft / 2, samples = left.length;
    const length = Math.max(samples, nFft / 2 + 1);
    for (let n = 0; n < nFft; n++) {
      let place = start + n;
      if (place < 0 || place >= samples) place = mirrored(place, samples, length);
      re[n] = place < 0 ? 0 : left[place] * window[n];
      im[n] = place < 0 ? 0 : right[place] * window[n];
    }
    this.fft.forward(re, im);
    for (let k = 0; k < bins; k++) {
      const other = (nFft - k) % nFft;
      // The even half of the transform is the left channel's, the odd half the right's.
      out[offset + k] = (re[k] + re[other]) / 2;
      out[offset + row + k] = (im[k] - im[other]) / 2;
      out[offset + 2 * row + k] = (im[k] + im[other]) / 2;
      out[offset + 3 * row + k] = (re[other] - re[k]) / 2;
    }
  }

  /** One frame of rows back into windowed samples, left in `this.re` and right in `this.im`. */
  synthesise(rows, offset) {
    const {nFft, bins, row, re, im, window} = this;
    for (let k = 0; k < bins; k++) {
      const lr = rows[offset + k], rr = rows[offset + 2 * row + k];
      // The ends of a real signal's spectrum are real.
      const end = k === 0 || k === nFft / 2;
      const li = end ? 0 : rows[offset + row + k], ri = end ? 0 : rows[offset + 3 * row + k];
      re[k] = lr - ri; im[k] = li + rr;
      if (!end) { re[nFft - k] = lr + ri; im[nFft - k] = rr - li; }
    }
    this.fft.forward(im, re); // the inverse, but for the factor
    for (let n = 0; n < nFft; n++) {
      const factor = window[n] / nFft;
      re[n] *= factor; im[n] *= factor;
    }
  }
}

/** Frames in, samples out: each is transformed back, windowed again and added where they overlap. */
export class OverlapAdd {
  constructor(stft, samples) {
    this.stft = stft;
    this.samples = samples;
    this.frames = stft.frames(samples);
    this.frame = 0; // the next to come
    this.sums = [0, 1].map(() => new Float32Array(stft.nFft));
    this.squares = Float64Array.from(stft.window, (w) => w * w);
    this.done = [0, 1].map(() => new Float32Array(stft.nFft));
    // Away from the song's ends the sum of the squared windows repeats with the hop.
    this.inner = Float64Array.from({length: stft.hop}, (_, n) => {
      let sum = 0;
      for (let m = n; m < stft.nFft; m += stft.hop) sum += this.squares[m];
      return sum;
    });
  }

  /** The sum of the squared windows at a sample of the song. */
  weight(sample) {
    const {nFft, hop} = this.stft, half = nFft / 2;
    const first = Math.max(0, Math.ceil((sample - half + 1) / hop));
    const last = Math.min(this.frames - 1, Math.floor((sample + half) / hop));
    let sum = 0;
    for (let t = first; t <= last; t++) sum += this.squares[sample - t * hop + half];
    return Math.max(sum, 1e-11);
  }

  /** The next frame's rows; calls emit(first sample, left, right) with what they complete. */
  push(rows, offset, emit) {
    const {stft, sums, done, frame, frames} = this, {nFft, hop} = stft;
    stft.synthesise(rows, offset);
    for (let n = 0; n < nFft; n++) {
      sums[0][n] += stft.re[n];
      sums[1][n] += stft.im[n];
    }
    const start = frame * hop - nFft / 2, apart = nFft / hop;
    const from = Math.max(0, -start);
    const to = Math.min(frame === frames - 1 ? nFft : hop, this.samples - start);
    const inside = frame >= apart && frame < frames - 1;
    for (let n = from; n < to; n++) {
      const weight = inside ? this.inner[n] : this.weight(start + n);
      done[0][n - from] = sums[0][n] / weight;
      done[1][n - from] = sums[1][n] / weight;
    }
    if (to > from) emit(start + from, ...done.map((side) => side.subarray(0, to - from)));
    for (const sum of sums) { sum.copyWithin(0, hop); sum.fill(0, nFft - hop); }
    this.frame += 1;
  }
}
