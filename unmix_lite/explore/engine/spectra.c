/* The inner loops of the STFT, and of what is made of spectra. */

#include "lanes.h"

/* The number after j, where the bits of numbers below n count from the other end. */
static inline int following(int j, int n) {
  int bit = n >> 1;
  for (; j & bit; bit >>= 1) j ^= bit;
  return j | bit;
}

/* The Fourier transform of n complex numbers, n a power of two and at least 8, in place; they stand
   in the order of `following` (Cooley and Tukey 1965). turns (2, n): cosines, then sines, of the
   round that joins halves of `half` numbers from number `half` on. */
static void transform(float *re, float *im, const float *turns, int n) {
  /* The first two rounds need no multiplication: their factors are 1 and -i. */
  for (int i = 0; i < n; i += 4) {
    float *x = re + i, *y = im + i;
    float ar = x[0] + x[1], ai = y[0] + y[1], br = x[0] - x[1], bi = y[0] - y[1];
    float cr = x[2] + x[3], ci = y[2] + y[3], dr = x[2] - x[3], di = y[2] - y[3];
    x[0] = ar + cr; y[0] = ai + ci;
    x[1] = br + di; y[1] = bi - dr;
    x[2] = ar - cr; y[2] = ai - ci;
    x[3] = br - di; y[3] = bi + dr;
  }
  for (int half = 4; half < n; half *= 2) {
    for (int start = 0; start < n; start += 2 * half) {
      for (int k = 0; k < half; k += 4) {
        float *ar = re + start + k, *ai = im + start + k, *br = ar + half, *bi = ai + half;
        v4 c = at(turns + half + k), s = at(turns + n + half + k);
        v4 r = add(mul(at(br), c), mul(at(bi), s)), m = sub(mul(at(bi), c), mul(at(br), s));
        wasm_v128_store(br, sub(at(ar), r));
        wasm_v128_store(bi, sub(at(ai), m));
        wasm_v128_store(ar, add(at(ar), r));
        wasm_v128_store(ai, add(at(ai), m));
      }
    }
  }
}

/* One frame of a stereo song as spectra: out (4, row), left real, left imaginary, right real, right
   imaginary. Both channels share a transform, as real and imaginary part. re, im (n): memory. */
EXPORT(analyse)
void analyse(float *out, const float *left, const float *right, const float *window,
             const float *turns, float *re, float *im, int n, int row) {
  for (int i = 0, j = 0; i < n; i++, j = following(j, n)) {
    re[i] = left[j] * window[j];
    im[i] = right[j] * window[j];
  }
  transform(re, im, turns, n);
  for (int k = 0; k <= n / 2; k++) {
    int other = (n - k) % n;
    /* The even half of the transform is the left channel's, the odd half the right's. */
    out[k] = (re[k] + re[other]) / 2;
    out[row + k] = (im[k] - im[other]) / 2;
    out[2 * row + k] = (im[k] + im[other]) / 2;
    out[3 * row + k] = (re[other] - re[k]) / 2;
  }
}

/* The inverse: a frame (4, row) as samples under the window, added to sums (2, n). */
EXPORT(synthesise)
void synthesise(float *sums, const float *rows, const float *window, const float *turns, float *re,
                float *im, int n, int row) {
  for (int i = 0, j = 0; i < n; i++, j = following(j, n)) {
    int above = j > n / 2, k = above ? n - j : j;
    /* The ends of a real signal's spectrum are real; above them it is the conjugate. */
    float sign = k == 0 || k == n / 2 ? 0.0f : above ? -1.0f : 1.0f;
    re[i] = rows[k] - sign * rows[3 * row + k];
    im[i] = sign * rows[row + k] + rows[2 * row + k];
  }
  transform(im, re, turns, n); /* exchanged: the inverse, but for the factor */
  v4 factor = all(1.0f / (float)n);
  for (int k = 0; k < n; k += 4) {
    v4 w = mul(at(window + k), factor);
    wasm_v128_store(sums + k, add(at(sums + k), mul(at(re + k), w)));
    wasm_v128_store(sums + n + k, add(at(sums + n + k), mul(at(im + k), w)));
  }
}

/* out = |re + i im|, n numbers, times `mask` where there is one. */
EXPORT(magnitude)
void magnitude(float *out, const float *re, const float *im, const float *mask, int n) {
  int k = 0;
  for (; k + 4 <= n; k += 4) {
    v4 size = wasm_f32x4_sqrt(add(mul(at(re + k), at(re + k)), mul(at(im + k), at(im + k))));
    wasm_v128_store(out + k, mask ? mul(size, at(mask + k)) : size);
  }
  for (; k < n; k++)
    out[k] = __builtin_sqrtf(re[k] * re[k] + im[k] * im[k]) * (mask ? mask[k] : 1.0f);
}

/* out = (re + i im) / |re + i im|, 1 where that is 0; rows (2, n), n a multiple of 4. */
EXPORT(direction)
void direction(float *out, const float *rows, int n) {
  for (int k = 0; k < n; k += 4) {
    v4 re = at(rows + k), im = at(rows + n + k);
    v4 size = wasm_f32x4_sqrt(add(mul(re, re), mul(im, im)));
    v4 there = wasm_f32x4_gt(size, all(0.0f));
    wasm_v128_store(out + k, wasm_v128_bitselect(quotient(re, size), all(1.0f), there));
    wasm_v128_store(out + n + k, wasm_v128_bitselect(quotient(im, size), all(0.0f), there));
  }
}

/* Square roots of n numbers in place, n a multiple of 4. */
EXPORT(root)
void root(float *x, int n) {
  for (int i = 0; i < n; i += 4) wasm_v128_store(x + i, wasm_f32x4_sqrt(at(x + i)));
}
