// One channel of a song: float samples, or 16 bits of what `scale` is the largest of, which is half
// the memory.

const ONE = 32767;

/** Samples in 16 bits; those above `scale` are cut off. */
export function packed(samples, scale, out = new Int16Array(samples.length), at = 0) {
  const factor = ONE / scale;
  for (let n = 0; n < samples.length; n++) {
    out[at + n] = Math.max(-ONE, Math.min(ONE, Math.round(factor * samples[n])));
  }
  return out;
}

export class Side {
  /** samples: a Float32Array, or an Int16Array as `packed` makes it. */
  constructor(samples, scale = 1) {
    Object.assign(this, {samples, factor: samples instanceof Int16Array ? scale / ONE : 1});
    this.length = samples.length;
  }

  at(n) { return this.factor * this.samples[n]; }

  /** Fill the Float32Array `out` with the samples from `start` on. */
  read(start, out) {
    const {samples, factor} = this;
    if (factor === 1) return out.set(samples.subarray(start, start + out.length));
    for (let n = 0; n < out.length; n++) out[n] = factor * samples[start + n];
  }
}
