// The multichannel Wiener filter (chapter 8), on one window of frames.
//
// Of every frame there are rows of `row` numbers: magnitudes (left, right) of each source, powers of
// each source, and of anything complex left real, left imaginary, right real, right imaginary.

const EPS = 1e-10, RIDGE = Math.sqrt(EPS), LOOSE = 1e-3;

export class Wiener {
  /** For windows of at most `frames` frames. */
  constructor(kernel, sources, frames, row) {
    Object.assign(this, {kernel, sources, row});
    this.power = kernel.block(frames * sources * row);
    this.spatial = kernel.block(sources * 4 * row);
    this.moved = kernel.block(sources * 4 * row);
    this.weight = kernel.block(sources * row);
    this.white = kernel.block(8 * row);
    this.scaled = kernel.block(frames * 4 * row); // the mixture, divided by `scale`
    this.phase = kernel.block(frames * 4 * row);
    this.scale = 1;
  }

  /** A window's mixture, (frames, 4 rows), for the rounds that follow. */
  prepare(mixture, frames) {
    const {kernel, row, scaled, phase} = this, x = mixture.values, rows = scaled.values;
    for (let t = 0; t < frames; t++) {
      for (const channel of [0, 2 * row]) {
        kernel.direction(phase.from(4 * t * row + channel), mixture.from(4 * t * row + channel), row);
      }
    }
    // A common scale keeps the ridge small against the signal, and finite.
    let largest = 0;
    for (let at = 0; at < 4 * frames * row; at += 2 * row) {
      for (let k = at; k < at + row; k++) {
        largest = Math.max(largest, x[k] * x[k] + x[row + k] * x[row + k]);
      }
    }
    this.scale = Math.max(1, Math.sqrt(largest) / 10);
    for (let i = 0; i < 4 * frames * row; i++) rows[i] = x[i] / this.scale;
  }

  /**
   * Rounds of expectation-maximisation. `magnitudes` (frames, sources, 2 rows) and the mixture's
   * own phase are the first guess; out (frames, sources, 4 rows).
   */
  filter(out, magnitudes, frames, rounds, posterior) {
    this.measure(magnitudes, frames);
    for (let round = 1; round < rounds; round++) {
      if (posterior) this.expect(frames);
      else {
        this.estimates(out, frames, 1);
        this.measureComplex(out, frames);
      }
    }
    this.estimates(out, frames, this.scale);
  }

  /** All estimates v R C^-1 x, times `scale`. */
  estimates(out, frames, scale) {
    const {kernel, sources, row, power, spatial, white, scaled} = this;
    for (let t = 0; t < frames; t++) {
      const v = power.from(t * sources * row);
      kernel.whiten(white, v, spatial, scaled.from(4 * t * row), sources, row, RIDGE, EPS);
      if (scale !== 1) multiplyBy(white.values.subarray(0, 4 * row), scale);
      for (let j = 0; j < sources; j++) {
        kernel.estimate(out.from((t * sources + j) * 4 * row), white, v.from(j * row),
                        spatial.from(4 * j * row), row);
      }
    }
  }

  /** Powers and spatial covariances of guesses that have the mixture's phase. */
  measure(magnitudes, frames) {
    const {kernel, sources, row, power, spatial, phase, scale} = this;
    spatial.values.fill(0);
    for (let t = 0; t < frames; t++) {
      for (let j = 0; j < sources; j++) {
        const at = (t * sources + j) * row;
        kernel.measure(power.from(at), spatial.from(4 * j * row), magnitudes.from(2 * at),
                       phase.from(4 * t * row), 1 / scale, row);
      }
    }
    this.divide(frames);
  }

  /** The same of complex estimates (frames, sources, 4 rows). */
  measureComplex(estimates, frames) {
    const {sources, row} = this, power = this.power.values, spatial = this.spatial.values;
    const y = estimates.values;
    spatial.fill(0);
    for (let t = 0; t < frames; t++) {
      for (let j = 0; j < sources; j++) {
        const e = (t * sources + j) * 4 * row, v = (t * sources + j) * row, s = 4 * j * row;
        for (let k = 0; k < row; k++) {
          const lr = y[e + k], li = y[e + row + k], rr = y[e + 2 * row + k], ri = y[e + 3 * row + k];
          const l = lr * lr + li * li, r = rr * rr + ri * ri;
          power[v + k] = (l + r) / 2;
          spatial[s + k] += l;
          spatial[s + row + k] += r;
          spatial[s + 2 * row + k] += lr * rr + li * ri;
          spatial[s + 3 * row + k] += li * rr - lr * ri;
        }
      }
    }
    this.divide(frames);
  }

  /** Spatial covariances over the sum of the powers; its inverse stays for the posterior. */
  divide(frames) {
    const {kernel, sources, row, power} = this;
    const spatial = this.spatial.values, weight = this.weight.values;
    weight.fill(0);
    for (let t = 0; t < frames; t++) {
      kernel.add_scaled(this.weight, power.from(t * sources * row), 1, sources * row);
    }
    for (let i = 0; i < sources * row; i++) weight[i] = 1 / (EPS + weight[i]);
    for (let j = 0; j < sources; j++) {
      for (let part = 0; part < 4; part++) {
        const s = (4 * j + part) * row;
        for (let k = 0; k < row; k++) spatial[s + k] *= weight[j * row + k];
      }
    }
  }

  /** The spatial covariances that the M-step takes next: R + R M R, with the powers kept. */
  expect(frames) {
    const {kernel, sources, row, power, white, scaled, weight, moved} = this;
    const spatial = this.spatial.values;
    loosen(spatial, sources, row);
    moved.values.fill(0);
    for (let t = 0; t < frames; t++) {
      const v = power.from(t * sources * row);
      kernel.whiten(white, v, this.spatial, scaled.from(4 * t * row), sources, row, RIDGE, EPS);
      kernel.excess(moved, white, v, weight, sources, row);
    }
    const m = moved.values;
    for (let j = 0; j < sources; j++) {
      for (let k = 0; k < row; k++) {
        const s = 4 * j * row + k;
        const a = spatial[s], b = spatial[s + row], cr = spatial[s + 2 * row], ci = spatial[s + 3 * row];
        const ma = m[s], mb = m[s + row], mr = m[s + 2 * row], mi = m[s + 3 * row];
        // M R is ((p, q), (u, w)); of p and w the diagonal of R M R needs one half each.
        const p = ma * a + mr * cr + mi * ci;
        const qr = ma * cr + mr * b, qi = ma * ci + mi * b;
        const ur = mr * a + mb * cr, ui = -mi * a - mb * ci;
        const w = mr * cr + mi * ci + mb * b, wi = mr * ci - mi * cr;
        spatial[s] = a + a * p + cr * ur - ci * ui;
        spatial[s + row] = b + cr * qr + ci * qi + b * w;
        spatial[s + 2 * row] = cr + a * qr + cr * w - ci * wi;
        spatial[s + 3 * row] = ci + a * qi + cr * wi + ci * w;
      }
    }
    loosen(spatial, sources, row);
  }
}

/** A little of every direction: a source in one point would make matrices that cannot be inverted. */
function loosen(spatial, sources, row) {
  for (let j = 0; j < sources; j++) {
    for (let k = 0; k < row; k++) {
      const s = 4 * j * row + k, every = (LOOSE * (spatial[s] + spatial[s + row])) / 2;
      spatial[s] = (1 - LOOSE) * spatial[s] + every;
      spatial[s + row] = (1 - LOOSE) * spatial[s + row] + every;
      spatial[s + 2 * row] *= 1 - LOOSE;
      spatial[s + 3 * row] *= 1 - LOOSE;
    }
  }
}

function multiplyBy(values, factor) {
  for (let i = 0; i < values.length; i++) values[i] *= factor;
}
