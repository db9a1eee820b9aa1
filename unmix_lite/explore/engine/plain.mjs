// The functions of the .c files in JavaScript, number by number, for where a browser has no SIMD; the
// pages' own spectra use them, too. What each does is told in the .c files.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

export const plain = {
  multiply(out, a, b, bias, m, n, k, symmetric) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < (symmetric ? i + 1 : n); j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += a[i * k + p] * b[j * k + p];
        out[i * n + j] = sum + (bias ? bias[j] : 0);
      }
    }
  },

  tanh_all(x, n) { for (let i = 0; i < n; i++) x[i] = Math.tanh(x[i]); },

  lstm(out, stride, gates, state, h, c, sums, frames, hidden, backward) {
    for (let step = 0; step < frames; step++) {
      const t = backward ? frames - 1 - step : step;
      for (let row = 0; row < 4 * hidden; row++) {
        let sum = gates[t * 4 * hidden + row];
        for (let p = 0; p < hidden; p++) sum += state[row * hidden + p] * h[p];
        sums[row] = sum;
      }
      for (let p = 0; p < hidden; p++) {
        const write = sigmoid(sums[p]), keep = sigmoid(sums[hidden + p]);
        const value = Math.tanh(sums[2 * hidden + p]), show = sigmoid(sums[3 * hidden + p]);
        c[p] = keep * c[p] + write * value;
        h[p] = show * Math.tanh(c[p]);
        out[t * stride + p] = h[p];
      }
    }
  },

  whiten(white, power, spatial, x, sources, bins, ridge, eps) {
    for (let k = 0; k < bins; k++) {
      let a = ridge, b = ridge, cr = 0, ci = 0;
      for (let j = 0; j < sources; j++) {
        const v = power[j * bins + k], s = 4 * j * bins + k;
        a += v * spatial[s]; b += v * spatial[s + bins];
        cr += v * spatial[s + 2 * bins]; ci += v * spatial[s + 3 * bins];
      }
      const over = 1 / Math.max(a * b - cr * cr - ci * ci, ridge * (a + b) - eps);
      const ia = b * over, ib = a * over, icr = -cr * over, ici = -ci * over;
      const lr = x[k], li = x[bins + k], rr = x[2 * bins + k], ri = x[3 * bins + k];
      white[k] = ia * lr + icr * rr - ici * ri;
      white[bins + k] = ia * li + icr * ri + ici * rr;
      white[2 * bins + k] = ib * rr + icr * lr + ici * li;
      white[3 * bins + k] = ib * ri + icr * li - ici * lr;
      white[4 * bins + k] = ia; white[5 * bins + k] = ib;
      white[6 * bins + k] = icr; white[7 * bins + k] = ici;
    }
  },

  excess(moved, w, power, weight, sources, bins) {
    for (let k = 0; k < bins; k++) {
      const lr = w[k], li = w[bins + k], rr = w[2 * bins + k], ri = w[3 * bins + k];
      const a = lr * lr + li * li - w[4 * bins + k], b = rr * rr + ri * ri - w[5 * bins + k];
      const cr = lr * rr + li * ri - w[6 * bins + k], ci = li * rr - lr * ri - w[7 * bins + k];
      for (let j = 0; j < sources; j++) {
        const v = power[j * bins + k], share = v * v * weight[j * bins + k], m = 4 * j * bins + k;
        moved[m] += share * a; moved[m + bins] += share * b;
        moved[m + 2 * bins] += share * cr; moved[m + 3 * bins] += share * ci;
      }
    }
  },

  estimate(out, w, power, s, bins) {
    for (let k = 0; k < bins; k++) {
      const lr = w[k], li = w[bins + k], rr = w[2 * bins + k], ri = w[3 * bins + k];
      const a = s[k], b = s[bins + k], cr = s[2 * bins + k], ci = s[3 * bins + k], v = power[k];
      out[k] = v * (a * lr + cr * rr - ci * ri);
      out[bins + k] = v * (a * li + cr * ri + ci * rr);
      out[2 * bins + k] = v * (b * rr + cr * lr + ci * li);
      out[3 * bins + k] = v * (b * ri + cr * li - ci * lr);
    }
  },

  add_scaled(out, row, factor, n) { for (let i = 0; i < n; i++) out[i] += factor * row[i]; },

  measure(power, spatial, magnitudes, phase, factor, bins) {
    for (let k = 0; k < bins; k++) {
      const l = magnitudes[k] * factor, r = magnitudes[bins + k] * factor;
      const lr = l * phase[k], li = l * phase[bins + k];
      const rr = r * phase[2 * bins + k], ri = r * phase[3 * bins + k];
      power[k] = (l * l + r * r) / 2;
      spatial[k] += l * l; spatial[bins + k] += r * r;
      spatial[2 * bins + k] += lr * rr + li * ri; spatial[3 * bins + k] += li * rr - lr * ri;
    }
  },

  analyse(out, left, right, window, turns, re, im, n, row) {
    for (let i = 0, j = 0; i < n; i++, j = following(j, n)) {
      re[i] = left[j] * window[j];
      im[i] = right[j] * window[j];
    }
    transform(re, im, turns, n);
    for (let k = 0; k <= n / 2; k++) {
      const other = (n - k) % n;
      out[k] = (re[k] + re[other]) / 2;
      out[row + k] = (im[k] - im[other]) / 2;
      out[2 * row + k] = (im[k] + im[other]) / 2;
      out[3 * row + k] = (re[other] - re[k]) / 2;
    }
  },

  synthesise(sums, rows, window, turns, re, im, n, row) {
    for (let i = 0, j = 0; i < n; i++, j = following(j, n)) {
      const above = j > n / 2, k = above ? n - j : j;
      const sign = k === 0 || k === n / 2 ? 0 : above ? -1 : 1;
      re[i] = rows[k] - sign * rows[3 * row + k];
      im[i] = sign * rows[row + k] + rows[2 * row + k];
    }
    transform(im, re, turns, n);
    for (let k = 0; k < n; k++) {
      sums[k] += (re[k] * window[k]) / n;
      sums[n + k] += (im[k] * window[k]) / n;
    }
  },

  magnitude(out, re, im, mask, n) {
    for (let k = 0; k < n; k++) out[k] = Math.sqrt(re[k] ** 2 + im[k] ** 2) * (mask ? mask[k] : 1);
  },

  direction(out, rows, n) {
    for (let k = 0; k < n; k++) {
      const size = Math.sqrt(rows[k] ** 2 + rows[n + k] ** 2);
      out[k] = size ? rows[k] / size : 1;
      out[n + k] = size ? rows[n + k] / size : 0;
    }
  },

  root(x, n) { for (let i = 0; i < n; i++) x[i] = Math.sqrt(x[i]); },

  rectify(x, n) { for (let i = 0; i < n; i++) x[i] = Math.max(0, x[i]); },
};

function following(j, n) {
  let bit = n >> 1;
  for (; j & bit; bit >>= 1) j ^= bit;
  return j | bit;
}

function transform(re, im, turns, n) {
  for (let half = 1; half < n; half *= 2) {
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0, i = start, j = start + half; k < half; k++, i++, j++) {
        const c = turns[half + k], s = turns[n + half + k];
        const r = re[j] * c + im[j] * s, m = im[j] * c - re[j] * s;
        re[j] = re[i] - r; im[j] = im[i] - m;
        re[i] += r; im[i] += m;
      }
    }
  }
}
