// The STFT of a stereo song, and its inverse, built on the kernel's Fourier transform.

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
  constructor(kernel, nFft = 4096, hop = 1024) {
    Object.assign(this, {kernel, nFft, hop, bins: nFft / 2 + 1});
    this.row = Math.ceil(this.bins / 4) * 4;
    [this.left, this.right, this.re, this.im, this.window] = Array.from(
      {length: 5}, () => kernel.block(nFft),
    );
    this.window.values.forEach((_, n, window) => {
      window[n] = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / nFft);
    });
    // What each round of the transform turns by: the round of `half` begins at number `half`.
    this.turns = kernel.block(2 * nFft);
    const turns = this.turns.values;
    for (let half = 1; half < nFft; half *= 2) {
      for (let k = 0; k < half; k++) {
        turns[half + k] = Math.cos((Math.PI * k) / half);
        turns[nFft + half + k] = Math.sin((Math.PI * k) / half);
      }
    }
  }

  frames(samples) { return 1 + Math.floor(samples / this.hop); }

  /** Frame t of a song, a `Side` each, into the block `out`, four rows. */
  analyse(song, t, out) {
    const {kernel, nFft, hop, row, window, turns, re, im} = this;
    const start = t * hop - nFft / 2, samples = song[0].length;
    for (const [side, block] of [[song[0], this.left], [song[1], this.right]]) {
      const values = block.values;
      if (start >= 0 && start + nFft <= samples) {
        side.read(start, values);
        continue;
      }
      const length = Math.max(samples, nFft / 2 + 1);
      for (let n = 0; n < nFft; n++) {
        const place = mirrored(start + n, samples, length);
        values[n] = place < 0 ? 0 : side.at(place);
      }
    }
    kernel.analyse(out, this.left, this.right, window, turns, re, im, nFft, row);
  }

  /** One frame of rows back into windowed samples, added to the block `sums`, (2, nFft). */
  synthesise(rows, sums) {
    const {kernel, nFft, row, window, turns, re, im} = this;
    kernel.synthesise(sums, rows, window, turns, re, im, nFft, row);
  }
}

/** Frames in, samples out: each is transformed back, windowed again and added where they overlap. */
export class OverlapAdd {
  constructor(stft, samples) {
    const {nFft, hop} = stft;
    Object.assign(this, {stft, samples, frames: stft.frames(samples), frame: 0});
    this.sums = stft.kernel.block(2 * nFft);
    this.squares = Float64Array.from(stft.window.values, (w) => w * w);
    this.done = [0, 1].map(() => new Float32Array(nFft));
    // Away from the song's ends the sum of the squared windows repeats with the hop.
    this.inner = Float64Array.from({length: hop}, (_, n) => {
      let sum = 0;
      for (let m = n; m < nFft; m += hop) sum += this.squares[m];
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

  /** The next frame's rows, a block; calls emit(first sample, left, right) with what they complete. */
  push(rows, emit) {
    const {stft, done, frame, frames} = this, {nFft, hop} = stft;
    stft.synthesise(rows, this.sums);
    const sums = this.sums.values;
    const start = frame * hop - nFft / 2, apart = nFft / hop;
    const from = Math.max(0, -start);
    const to = Math.min(frame === frames - 1 ? nFft : hop, this.samples - start);
    const inside = frame >= apart && frame < frames - 1;
    for (let n = from; n < to; n++) {
      const weight = inside ? this.inner[n] : this.weight(start + n);
      done[0][n - from] = sums[n] / weight;
      done[1][n - from] = sums[nFft + n] / weight;
    }
    if (to > from) emit(start + from, ...done.map((side) => side.subarray(0, to - from)));
    for (const side of [0, nFft]) {
      sums.copyWithin(side, side + hop, side + nFft);
      sums.fill(0, side + nFft - hop, side + nFft);
    }
    this.frame += 1;
  }
}
