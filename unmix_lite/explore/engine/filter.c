/* The inner loops of the Wiener filter, bin by bin. */

#include "lanes.h"

/* Of one source in one frame: its power (bins), and its share of the spatial covariance (4, bins),
   which grows. magnitudes (2, bins), over a common scale; phase like the mixture's rows. */
EXPORT(measure)
void measure(float *power, float *spatial, const float *magnitudes, const float *phase,
             float factor, int bins) {
  for (int k = 0; k < bins; k += 4) {
    v4 l = mul(at(magnitudes + k), all(factor)), r = mul(at(magnitudes + bins + k), all(factor));
    v4 lr = mul(l, at(phase + k)), li = mul(l, at(phase + bins + k));
    v4 rr = mul(r, at(phase + 2 * bins + k)), ri = mul(r, at(phase + 3 * bins + k));
    v4 left = mul(l, l), right = mul(r, r);
    float *s = spatial + k;
    wasm_v128_store(power + k, mul(add(left, right), all(0.5f)));
    wasm_v128_store(s, add(at(s), left));
    wasm_v128_store(s + bins, add(at(s + bins), right));
    wasm_v128_store(s + 2 * bins, add(at(s + 2 * bins), add(mul(lr, rr), mul(li, ri))));
    wasm_v128_store(s + 3 * bins, add(at(s + 3 * bins), sub(mul(li, rr), mul(lr, ri))));
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
