// Least squares with filters: correlations by a Fourier transform, and the normal equations.

/** The discrete Fourier transform, in place, of a power of two; the inverse is not divided by it. */
export function transform(re, im, sign = -1) {
  const size = re.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      let x = re[i]; re[i] = re[j]; re[j] = x;
      x = im[i]; im[i] = im[j]; im[j] = x;
    }
  }
  const turns = turnsOf(size);
  for (let half = 1; half < size; half *= 2) {
    const step = size / half / 2;
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0, a = start, at = 0; k < half; k++, a++, at += step) {
        const b = a + half, c = turns[2 * at], s = sign * turns[2 * at + 1];
        const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

const tables = new Map();

function turnsOf(size) {
  if (!tables.has(size)) {
    tables.set(size, Float64Array.from({length: size}, (_, i) => {
      const angle = (2 * Math.PI * (i >> 1)) / size;
      return i % 2 ? Math.sin(angle) : Math.cos(angle);
    }));
  }
  return tables.get(size);
}

/** The spectrum of samples, with silence after them. */
export function spectrumOf(samples, size) {
  const re = new Float64Array(size), im = new Float64Array(size);
  re.set(samples);
  transform(re, im);
  return {re, im};
}

/** The first `length` samples of a spectrum. */
export function samplesOf({re, im}, length) {
  const r = re.slice(), i = im.slice();
  transform(r, i, 1);
  return r.subarray(0, length).map((x) => x / re.length);
}

/** Sums over time of x[n] * y[n + lag], for each pair of spectra, at the lags 0, 1, ... and back from -1. */
export function correlation(x, y) {
  const size = x.re.length, re = new Float64Array(size), im = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    re[k] = (x.re[k] * y.re[k] + x.im[k] * y.im[k]) / size;
    im[k] = (x.re[k] * y.im[k] - x.im[k] * y.re[k]) / size;
  }
  transform(re, im, 1);
  return re;
}

/** The energy of what has this spectrum. */
export function energyOf({re, im}) {
  let sum = 0;
  for (let k = 0; k < re.length; k++) sum += re[k] * re[k] + im[k] * im[k];
  return sum / re.length;
}

/** The filters of `taps` from some signals to another, by the signals' spectra; the matrix is factorised once. */
export class Filters {
  constructor(spectra, taps) {
    const count = spectra.length, size = count * taps, total = spectra[0].re.length;
    const matrix = new Float64Array(size * size);
    let energy = 0;
    for (let p = 0; p < count; p++) {
      for (let q = 0; q <= p; q++) {
        const lags = correlation(spectra[p], spectra[q]);
        if (p === q) energy += lags[0] / count;
        for (let k = 0; k < taps; k++) {
          for (let l = 0; l < taps; l++) matrix[(p * taps + k) * size + q * taps + l] = lags[(k - l + total) % total];
        }
      }
    }
    Object.assign(this, {spectra, taps, size});
    // Where the filters are ambiguous, the package adds a little to the diagonal, too.
    for (let ridge = 0; !this.factorise(matrix.slice(), ridge); ridge += 1e-6 * energy);
  }

  factorise(rows, ridge) {
    const {size} = this;
    for (let i = 0; i < size; i++) {
      const a = rows.subarray(i * size, i * size + size);
      for (let j = 0; j <= i; j++) {
        const b = rows.subarray(j * size, j * size + size);
        let sum = a[j] + (i === j ? ridge : 0);
        for (let k = 0; k < j; k++) sum -= a[k] * b[k];
        if (i === j && !(sum > 0)) return false;
        a[j] = i === j ? Math.sqrt(sum) : sum / b[j];
      }
    }
    this.rows = rows;
    return true;
  }

  /** For each signal the filter's coefficients, that together come nearest to what has spectrum y. */
  fit(y) {
    const {size, rows, taps} = this, z = new Float64Array(size);
    this.spectra.forEach((x, p) => z.set(correlation(x, y).subarray(0, taps), p * taps));
    for (let i = 0; i < size; i++) {
      let sum = z[i];
      for (let k = 0; k < i; k++) sum -= rows[i * size + k] * z[k];
      z[i] = sum / rows[i * size + i];
    }
    for (let i = size - 1; i >= 0; i--) { // L' column by column, which lies in rows
      z[i] /= rows[i * size + i];
      for (let k = 0; k < i; k++) z[k] -= rows[i * size + k] * z[i];
    }
    return this.spectra.map((_, p) => z.subarray(p * taps, (p + 1) * taps));
  }

  /** The spectrum of that nearest sum of filtered signals. */
  project(y) {
    const total = y.re.length, out = {re: new Float64Array(total), im: new Float64Array(total)};
    this.fit(y).forEach((taps, p) => {
      const filter = spectrumOf(taps, total), x = this.spectra[p];
      for (let k = 0; k < total; k++) {
        out.re[k] += filter.re[k] * x.re[k] - filter.im[k] * x.im[k];
        out.im[k] += filter.re[k] * x.im[k] + filter.im[k] * x.re[k];
      }
    });
    return out;
  }
}
