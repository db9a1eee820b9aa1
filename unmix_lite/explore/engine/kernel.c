/* The inner loops of the engine, for WebAssembly with SIMD: four numbers at a time.

   Built by build.sh into kernel.wasm, which lies beside this file. kernel.mjs holds the same
   functions in plain JavaScript, for where SIMD is missing. All arrays are rows of float32. */

#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))

typedef v128_t v4;

static inline v4 at(const float *p) { return wasm_v128_load(p); }
static inline v4 all(float x) { return wasm_f32x4_splat(x); }
static inline v4 add(v4 a, v4 b) { return wasm_f32x4_add(a, b); }
static inline v4 sub(v4 a, v4 b) { return wasm_f32x4_sub(a, b); }
static inline v4 mul(v4 a, v4 b) { return wasm_f32x4_mul(a, b); }
static inline v4 quotient(v4 a, v4 b) { return wasm_f32x4_div(a, b); }
static inline v4 at_least(v4 a, v4 b) { return wasm_f32x4_pmax(a, b); }
static inline float total(v4 a) {
  return wasm_f32x4_extract_lane(a, 0) + wasm_f32x4_extract_lane(a, 1) +
         wasm_f32x4_extract_lane(a, 2) + wasm_f32x4_extract_lane(a, 3);
}

/* e^x to about 1e-7: 2^n times a polynomial on what is left, |rest| <= ln(2) / 2. */
static inline v4 exponential(v4 x) {
  x = wasm_f32x4_pmin(wasm_f32x4_pmax(x, all(-87.0f)), all(87.0f));
  v4 n = wasm_f32x4_nearest(mul(x, all(1.44269504f)));
  v4 r = sub(sub(x, mul(n, all(0.693359375f))), mul(n, all(-2.12194440e-4f)));
  v4 p = all(1.9875691500e-4f);
  p = add(mul(p, r), all(1.3981999507e-3f));
  p = add(mul(p, r), all(8.3334519073e-3f));
  p = add(mul(p, r), all(4.1665795894e-2f));
  p = add(mul(p, r), all(1.6666665459e-1f));
  p = add(mul(p, r), all(5.0000001201e-1f));
  p = add(add(mul(mul(p, r), r), r), all(1.0f));
  v4 power = wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(n), wasm_i32x4_splat(127)), 23);
  return mul(p, power);
}
static inline v4 sigmoid(v4 x) {
  return quotient(all(1.0f), add(all(1.0f), exponential(sub(all(0.0f), x))));
}
static inline v4 tangent(v4 x) {
  return sub(mul(all(2.0f), sigmoid(mul(all(2.0f), x))), all(1.0f));
}

static inline float product(const float *x, const float *y, int k) {
  v4 sum = all(0.0f);
  for (int p = 0; p < k; p += 4) sum = add(sum, mul(at(x + p), at(y + p)));
  return total(sum);
}

/* 4 rows of a times 3 rows of b: what the registers hold. */
static inline void tile(float *out, const float *x, const float *y, int n, int k) {
  v4 s[4][3];
  for (int r = 0; r < 4; r++) s[r][0] = s[r][1] = s[r][2] = all(0.0f);
  for (int p = 0; p < k; p += 4) {
    v4 y0 = at(y + p), y1 = at(y + k + p), y2 = at(y + 2 * k + p);
    for (int r = 0; r < 4; r++) {
      v4 one = at(x + r * k + p);
      s[r][0] = add(s[r][0], mul(one, y0));
      s[r][1] = add(s[r][1], mul(one, y1));
      s[r][2] = add(s[r][2], mul(one, y2));
    }
  }
  for (int r = 0; r < 4; r++)
    for (int c = 0; c < 3; c++) out[r * n + c] = total(s[r][c]);
}

/* out (m, n) = a (m, k) times the transpose of b (n, k), plus bias (n); with `symmetric`, where a
   is b, at least what is on and below the diagonal. k is a multiple of 4. Some rows of a at a time,
   which stay in the cache while all of b goes by. */
EXPORT(multiply)
void multiply(float *out, const float *a, const float *b, const float *bias, int m, int n, int k,
              int symmetric) {
  for (int first = 0; first < m; first += 32) {
    int last = first + 32 < m ? first + 32 : m;
    for (int j = 0; j < n && !(symmetric && j >= last); j += 3) {
      int i = first;
      for (; j + 3 <= n && i + 4 <= last; i += 4)
        tile(out + i * n + j, a + i * k, b + j * k, n, k);
      for (; i < last; i++)
        for (int c = j; c < n && c < j + 3; c++)
          out[i * n + c] = product(a + i * k, b + c * k, k);
    }
    if (bias)
      for (int i = first; i < last; i++)
        for (int j = 0; j < n; j++) out[i * n + j] += bias[j];
  }
}

/* tanh of n numbers, n a multiple of 4. */
EXPORT(tanh_all)
void tanh_all(float *x, int n) {
  for (int i = 0; i < n; i += 4) wasm_v128_store(x + i, tangent(at(x + i)));
}

/* One direction of an LSTM layer. `gates` (frames, 4 hidden): what the input adds to the four
   gates (input, forget, cell, output), biases included; `state` (4 hidden, hidden). `h` and `c`
   (hidden) go on from what they are. out: row t begins at out + t * stride. `sums` (4 hidden) is
   memory to compute in. */
EXPORT(lstm)
void lstm(float *out, int stride, const float *gates, const float *state, float *h, float *c,
          float *sums, int frames, int hidden, int backward) {
  for (int step = 0; step < frames; step++) {
    int t = backward ? frames - 1 - step : step;
    const float *g = gates + t * 4 * hidden;
    for (int row = 0; row < 4 * hidden; row += 4) {
      v4 s0 = all(0.0f), s1 = s0, s2 = s0, s3 = s0;
      const float *u = state + row * hidden;
      for (int p = 0; p < hidden; p += 4) {
        v4 x = at(h + p);
        s0 = add(s0, mul(x, at(u + p)));
        s1 = add(s1, mul(x, at(u + hidden + p)));
        s2 = add(s2, mul(x, at(u + 2 * hidden + p)));
        s3 = add(s3, mul(x, at(u + 3 * hidden + p)));
      }
      sums[row] = total(s0) + g[row];
      sums[row + 1] = total(s1) + g[row + 1];
      sums[row + 2] = total(s2) + g[row + 2];
      sums[row + 3] = total(s3) + g[row + 3];
    }
    for (int p = 0; p < hidden; p += 4) {
      v4 write = sigmoid(at(sums + p)), keep = sigmoid(at(sums + hidden + p));
      v4 value = tangent(at(sums + 2 * hidden + p)), show = sigmoid(at(sums + 3 * hidden + p));
      v4 cell = add(mul(keep, at(c + p)), mul(write, value));
      wasm_v128_store(c + p, cell);
      wasm_v128_store(h + p, mul(show, tangent(cell)));
      wasm_v128_store(out + t * stride + p, at(h + p));
    }
  }
}

/* Of one frame, for `bins` frequencies (a multiple of 4): the inverse of the mixture's covariance
   C = sum_j v_j R_j + ridge, and C^-1 x. power (sources, bins); spatial: of each source the rows
   a, b, c real, c imaginary, (sources, 4, bins); x: the mixture's rows left real, left imaginary,
   right real, right imaginary, (4, bins). white: C^-1 x like x, then the inverse like `spatial`. */
EXPORT(whiten)
void whiten(float *white, const float *power, const float *spatial, const float *x, int sources,
            int bins, float ridge, float eps) {
  for (int k = 0; k < bins; k += 4) {
    v4 a = all(ridge), b = all(ridge), cr = all(0.0f), ci = all(0.0f);
    for (int j = 0; j < sources; j++) {
      v4 v = at(power + j * bins + k);
      const float *s = spatial + 4 * j * bins + k;
      a = add(a, mul(v, at(s)));
      b = add(b, mul(v, at(s + bins)));
      cr = add(cr, mul(v, at(s + 2 * bins)));
      ci = add(ci, mul(v, at(s + 3 * bins)));
    }
    v4 least = sub(mul(all(ridge), add(a, b)), all(eps));
    v4 determinant = sub(mul(a, b), add(mul(cr, cr), mul(ci, ci)));
    v4 over = quotient(all(1.0f), at_least(determinant, least));
    v4 ia = mul(b, over), ib = mul(a, over);
    v4 icr = sub(all(0.0f), mul(cr, over)), ici = sub(all(0.0f), mul(ci, over));
    v4 lr = at(x + k), li = at(x + bins + k), rr = at(x + 2 * bins + k), ri = at(x + 3 * bins + k);
    float *w = white + k;
    /* (ia, ic; ic*, ib) times (left, right) */
    wasm_v128_store(w, add(mul(ia, lr), sub(mul(icr, rr), mul(ici, ri))));
    wasm_v128_store(w + bins, add(mul(ia, li), add(mul(icr, ri), mul(ici, rr))));
    wasm_v128_store(w + 2 * bins, add(mul(ib, rr), add(mul(icr, lr), mul(ici, li))));
    wasm_v128_store(w + 3 * bins, add(mul(ib, ri), sub(mul(icr, li), mul(ici, lr))));
    wasm_v128_store(w + 4 * bins, ia);
    wasm_v128_store(w + 5 * bins, ib);
    wasm_v128_store(w + 6 * bins, icr);
    wasm_v128_store(w + 7 * bins, ici);
  }
}

/* Add a frame's share to what moves the spatial covariances: with `weight` = 1 / (eps + sum of the
   powers over the frames), (sources, bins), moved (sources, 4, bins) grows by
   v^2 weight (C^-1 x x^H C^-1 - C^-1). */
EXPORT(excess)
void excess(float *moved, const float *white, const float *power, const float *weight, int sources,
            int bins) {
  for (int k = 0; k < bins; k += 4) {
    const float *w = white + k;
    v4 lr = at(w), li = at(w + bins), rr = at(w + 2 * bins), ri = at(w + 3 * bins);
    v4 a = sub(add(mul(lr, lr), mul(li, li)), at(w + 4 * bins));
    v4 b = sub(add(mul(rr, rr), mul(ri, ri)), at(w + 5 * bins));
    v4 cr = sub(add(mul(lr, rr), mul(li, ri)), at(w + 6 * bins));
    v4 ci = sub(sub(mul(li, rr), mul(lr, ri)), at(w + 7 * bins));
    for (int j = 0; j < sources; j++) {
      v4 v = at(power + j * bins + k), share = mul(mul(v, v), at(weight + j * bins + k));
      float *m = moved + 4 * j * bins + k;
      wasm_v128_store(m, add(at(m), mul(share, a)));
      wasm_v128_store(m + bins, add(at(m + bins), mul(share, b)));
      wasm_v128_store(m + 2 * bins, add(at(m + 2 * bins), mul(share, cr)));
      wasm_v128_store(m + 3 * bins, add(at(m + 3 * bins), mul(share, ci)));
    }
  }
}

/* The estimate of one source in one frame: v R C^-1 x, rows as those of x, (4, bins). */
EXPORT(estimate)
void estimate(float *out, const float *white, const float *power, const float *spatial, int bins) {
  for (int k = 0; k < bins; k += 4) {
    const float *w = white + k, *s = spatial + k;
    v4 lr = at(w), li = at(w + bins), rr = at(w + 2 * bins), ri = at(w + 3 * bins);
    v4 a = at(s), b = at(s + bins), cr = at(s + 2 * bins), ci = at(s + 3 * bins);
    v4 v = at(power + k);
    wasm_v128_store(out + k, mul(v, add(mul(a, lr), sub(mul(cr, rr), mul(ci, ri)))));
    wasm_v128_store(out + bins + k, mul(v, add(mul(a, li), add(mul(cr, ri), mul(ci, rr)))));
    wasm_v128_store(out + 2 * bins + k, mul(v, add(mul(b, rr), add(mul(cr, lr), mul(ci, li)))));
    wasm_v128_store(out + 3 * bins + k, mul(v, add(mul(b, ri), sub(mul(cr, li), mul(ci, lr)))));
  }
}

/* out += factor * row, n numbers, a multiple of 4. */
EXPORT(add_scaled)
void add_scaled(float *out, const float *row, float factor, int n) {
  v4 f = all(factor);
  for (int i = 0; i < n; i += 4) wasm_v128_store(out + i, add(at(out + i), mul(f, at(row + i))));
}
