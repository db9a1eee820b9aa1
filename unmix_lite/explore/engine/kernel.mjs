// The engine's inner loops: kernel.wasm where a browser has SIMD, else the same in JavaScript.
//
// Arrays are `Block`s of float32 that both kinds understand; `block.from(i)` is the rest of one
// from its number i on. What each function does is told in kernel.c.

class Block {
  constructor(kernel, pointer, length) { Object.assign(this, {kernel, pointer, length}); }

  /** The numbers, as a Float32Array; taken anew, since memory that grows moves. */
  get values() { return new Float32Array(this.kernel.buffer, this.pointer, this.length); }

  from(start) { return new Block(this.kernel, this.pointer + 4 * start, this.length - start); }
}

/** WebAssembly's memory, and calls that turn blocks into addresses. */
class Wasm {
  constructor(exports) {
    this.exports = exports;
    this.end = exports.__heap_base.value;
    for (const name of ["multiply", "tanh_all", "lstm", "whiten", "excess", "estimate", "add_scaled"]) {
      this[name] = (...values) =>
        exports[name](...values.map((v) => (v instanceof Block ? v.pointer : v === null ? 0 : v)));
    }
  }

  get buffer() { return this.exports.memory.buffer; }

  block(length) {
    const pointer = Math.ceil(this.end / 16) * 16;
    this.end = pointer + 4 * length;
    const missing = this.end - this.buffer.byteLength;
    if (missing > 0) this.exports.memory.grow(Math.ceil(missing / 65536));
    const block = new Block(this, pointer, length);
    block.values.fill(0);
    return block;
  }

  /** Give back all blocks made since `mark` was `kernel.end`. */
  release(mark) { this.end = mark; }
}

/** The same without WebAssembly: each block owns its numbers. */
class Plain {
  constructor() {
    const call = (f) => (...values) => f(...values.map((v) => (v instanceof PlainBlock ? v.values : v)));
    for (const [name, f] of Object.entries(plain)) this[name] = call(f);
    this.end = 0;
  }

  block(length) { return new PlainBlock(new Float32Array(length)); }

  release() {}
}

class PlainBlock {
  constructor(values) { this.values = values; }

  from(start) { return new PlainBlock(this.values.subarray(start)); }
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

const plain = {
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
};

/** A kernel from the bytes of kernel.wasm; in JavaScript where there are none, or no SIMD. */
export async function loadKernel(bytes) {
  if (bytes && typeof WebAssembly === "object" && WebAssembly.validate(bytes)) {
    const {instance} = await WebAssembly.instantiate(bytes, {});
    return new Wasm(instance.exports);
  }
  return new Plain();
}
