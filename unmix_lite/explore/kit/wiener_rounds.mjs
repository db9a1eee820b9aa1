// The multichannel Wiener filter in double precision, as `unmix_lite.wiener` computes it, on whole
// spectra: short enough to read beside chapter 8. (engine/wiener.mjs is the fast one, for songs.)

const EPS = 1e-10, RIDGE = Math.sqrt(EPS), LOOSE = 1e-3;

/** 10 log10 of a ratio. */
export function decibels(above, below) { return 10 * Math.log10(above / below); }

/**
 * Rounds of the filter. estimates: for each source its left and right spectrum {re, im, frames,
 * bins}; mixture: left and right. Returns for each source [left, right] with {re, im, frames, bins}.
 */
export function wiener(estimates, mixture, rounds, posterior) {
  if (!rounds) return estimates;
  const {frames, bins} = mixture[0];
  let largest = 0;
  for (const {re, im} of mixture) re.forEach((x, i) => { largest = Math.max(largest, x * x + im[i] ** 2); });
  const scale = Math.max(1, Math.sqrt(largest) / 10);
  const empty = () => ({frames, bins, re: new Float32Array(frames * bins), im: new Float32Array(frames * bins)});
  const out = estimates.map(() => [empty(), empty()]);
  for (let k = 0; k < bins; k++) {
    const column = ([l, r]) => [l.re, l.im, r.re, r.im].map((x) => {
      const values = new Float64Array(frames);
      for (let t = 0, i = k; t < frames; t++, i += bins) values[t] = x[i] / scale;
      return values;
    });
    const x = column(mixture);
    let guesses = estimates.map(column), model = guesses.map(measure);
    for (let round = 1; round < rounds; round++) {
      if (posterior) expect(model, x, frames);
      else {
        guesses = filtered(model, x, frames);
        model = guesses.map(measure);
      }
    }
    filtered(model, x, frames).forEach((source, j) => source.forEach((values, part) => {
      const side = out[j][part >> 1], to = part % 2 ? side.im : side.re;
      for (let t = 0; t < frames; t++) to[t * bins + k] = values[t] * scale;
    }));
  }
  return out;
}

/** Powers v of the frames, and the spatial covariance ((a, c + id), (c - id, b)). */
function measure([lr, li, rr, ri]) {
  const v = new Float64Array(lr.length);
  let a = 0, b = 0, c = 0, d = 0, total = EPS;
  for (let t = 0; t < v.length; t++) {
    const l = lr[t] ** 2 + li[t] ** 2, r = rr[t] ** 2 + ri[t] ** 2;
    v[t] = (l + r) / 2;
    total += v[t];
    a += l;
    b += r;
    c += lr[t] * rr[t] + li[t] * ri[t];
    d += li[t] * rr[t] - lr[t] * ri[t];
  }
  return {v, total, R: [a / total, b / total, c / total, d / total]};
}

const white = new Float64Array(8); // of a frame: the inverse of the mixture's covariance, and that times the mixture

function whiten(model, [lr, li, rr, ri], t) {
  let a = RIDGE, b = RIDGE, c = 0, d = 0;
  for (const {v, R} of model) { a += v[t] * R[0]; b += v[t] * R[1]; c += v[t] * R[2]; d += v[t] * R[3]; }
  const det = Math.max(a * b - c * c - d * d, RIDGE * (a + b) - EPS), p = b / det, q = a / det;
  c /= -det;
  d /= -det;
  white[0] = p; white[1] = q; white[2] = c; white[3] = d;
  white[4] = p * lr[t] + c * rr[t] - d * ri[t];
  white[5] = p * li[t] + c * ri[t] + d * rr[t];
  white[6] = q * rr[t] + c * lr[t] + d * li[t];
  white[7] = q * ri[t] + c * li[t] - d * lr[t];
}

/** The estimates v R C^-1 x of all frames. */
function filtered(model, x, frames) {
  const out = model.map(() => Array.from({length: 4}, () => new Float64Array(frames)));
  for (let t = 0; t < frames; t++) {
    whiten(model, x, t);
    const lr = white[4], li = white[5], rr = white[6], ri = white[7];
    for (let j = 0; j < model.length; j++) {
      const to = out[j], w = model[j].v[t], R = model[j].R, a = R[0], b = R[1], c = R[2], d = R[3];
      to[0][t] = w * (a * lr + c * rr - d * ri);
      to[1][t] = w * (a * li + c * ri + d * rr);
      to[2][t] = w * (b * rr + c * lr + d * li);
      to[3][t] = w * (b * ri + c * li - d * lr);
    }
  }
  return out;
}

/** The spatial covariances that expectation-maximisation takes next, R + R M R; powers are kept. */
function expect(model, x, frames) {
  model.forEach(loosen);
  const excess = model.map(() => [0, 0, 0, 0]);
  for (let t = 0; t < frames; t++) {
    whiten(model, x, t);
    const lr = white[4], li = white[5], rr = white[6], ri = white[7];
    for (let j = 0; j < model.length; j++) {
      const weight = model[j].v[t] ** 2 / model[j].total, to = excess[j];
      to[0] += weight * (lr * lr + li * li - white[0]);
      to[1] += weight * (rr * rr + ri * ri - white[1]);
      to[2] += weight * (lr * rr + li * ri - white[2]);
      to[3] += weight * (li * rr - lr * ri - white[3]);
    }
  }
  model.forEach((source, j) => {
    const [a, b, c, d] = source.R, [p, q, r, s] = excess[j];
    // M R is ((e, f), (g, w)), each of them complex.
    const e = [p * a + r * c + s * d, s * c - r * d], f = [p * c + r * b, p * d + s * b];
    const g = [r * a + q * c, -s * a - q * d], w = [r * c + s * d + q * b, r * d - s * c];
    source.R = [a + a * e[0] + c * g[0] - d * g[1], b + c * f[0] + d * f[1] + b * w[0],
      c + a * f[0] + c * w[0] - d * w[1], d + a * f[1] + c * w[1] + d * w[0]];
  });
  model.forEach(loosen);
}

/** A little of every direction: a source in one point would make matrices without an inverse. */
function loosen(source) {
  const [a, b, c, d] = source.R, every = (LOOSE * (a + b)) / 2;
  source.R = [(1 - LOOSE) * a + every, (1 - LOOSE) * b + every, (1 - LOOSE) * c, (1 - LOOSE) * d];
}
