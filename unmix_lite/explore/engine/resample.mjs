// From one sampling rate to another, by a sinc under a Kaiser window: what lies above half of the
// lower rate is taken out, all else stays.

const TAPS = 32; // zero crossings on either side
const BETA = 9; // of the window: side lobes about 90 dB down

function bessel(x) {
  let sum = 1, term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

/** A filter per phase: output n reads the input around n * down / up. */
function filters(up, down) {
  const cut = 0.98 * Math.min(1, up / down), half = Math.ceil(TAPS / cut);
  return {half, phases: Array.from({length: up}, (_, phase) => {
    const taps = new Float64Array(2 * half);
    for (let i = 0; i < 2 * half; i++) {
      const x = i - half + 1 - phase / up, inside = Math.abs(x) / half;
      if (inside >= 1) continue;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * cut * x) / (Math.PI * cut * x);
      taps[i] = cut * sinc * (bessel(BETA * Math.sqrt(1 - inside ** 2)) / bessel(BETA));
    }
    return taps;
  })};
}

/** One channel, piece by piece, from one rate to another; `length` samples in all. */
export class Resampler {
  constructor(from, to, length) {
    const common = gcd(Math.round(from), Math.round(to));
    this.up = Math.round(to) / common;
    this.down = Math.round(from) / common;
    Object.assign(this, filters(this.up, this.down));
    Object.assign(this, {length, next: 0, first: 0, kept: new Float32Array(0)});
  }

  /** What the next piece of the channel allows to say; with `last`, all that is left. */
  push(piece, last = false) {
    const {up, down, half, phases} = this, kept = new Float32Array(this.kept.length + piece.length);
    kept.set(this.kept);
    kept.set(piece, this.kept.length);
    const end = this.first + kept.length;
    // Output n reads the input up to floor(n down / up) + half.
    const ready = last ? this.length : Math.min(this.length, Math.floor(((end - half) * up - 1) / down) + 1);
    const out = new Float32Array(Math.max(0, ready - this.next));
    for (let i = 0, n = this.next; i < out.length; i++, n++) {
      const taps = phases[(n * down) % up], at = Math.floor((n * down) / up) - half + 1 - this.first;
      const begin = Math.max(0, -at), stop = Math.min(2 * half, kept.length - at);
      let sum = 0;
      for (let k = begin; k < stop; k++) sum += taps[k] * kept[at + k];
      out[i] = sum;
    }
    this.next += out.length;
    const needed = Math.floor((this.next * down) / up) - half + 1;
    this.kept = kept.slice(Math.max(0, Math.min(kept.length, needed - this.first)));
    this.first = end - this.kept.length;
    return out;
  }
}

/** A `Side` at `from` Hz as a Float32Array at `to` Hz. */
export function resampled(side, from, to) {
  const out = new Float32Array(Math.ceil((side.length * to) / from));
  const resampler = new Resampler(from, to, out.length), length = 1 << 16;
  for (let at = 0, done = 0; at < side.length; at += length) {
    const piece = new Float32Array(Math.min(length, side.length - at));
    side.read(at, piece);
    const next = resampler.push(piece, at + length >= side.length);
    out.set(next, done);
    done += next.length;
  }
  return out;
}
