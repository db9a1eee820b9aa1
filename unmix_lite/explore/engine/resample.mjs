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

/** `channel`, a Float32Array at `from` Hz, at `to` Hz; `length` samples of it, or all there are. */
export function resample(channel, from, to, length = Math.ceil((channel.length * to) / from)) {
  if (from === to) return channel.slice(0, length);
  const common = gcd(Math.round(from), Math.round(to));
  const up = Math.round(to) / common, down = Math.round(from) / common;
  const {half, phases} = filters(up, down);
  const out = new Float32Array(length);
  for (let n = 0; n < length; n++) {
    const place = Math.floor((n * down) / up), taps = phases[(n * down) % up];
    const first = place - half + 1;
    let sum = 0;
    const begin = Math.max(0, -first), end = Math.min(2 * half, channel.length - first);
    for (let i = begin; i < end; i++) sum += taps[i] * channel[first + i];
    out[n] = sum;
  }
  return out;
}
