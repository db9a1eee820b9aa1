/* The inner loops of the network: matrix products, activations, the LSTM. */

#include "lanes.h"

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

/* max(0, x) of n numbers in place. */
EXPORT(rectify)
void rectify(float *x, int n) {
  int i = 0;
  for (; i + 4 <= n; i += 4) wasm_v128_store(x + i, at_least(at(x + i), all(0.0f)));
  for (; i < n; i++) x[i] = x[i] > 0.0f ? x[i] : 0.0f;
}
