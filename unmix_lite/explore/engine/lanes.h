/* Four numbers at a time, for WebAssembly with SIMD: the operations that the kernel is written in.

   build.sh makes kernel.wasm of the .c files beside this one. plain.mjs holds the same functions in
   plain JavaScript, for where SIMD is missing. All arrays are rows of float32. */

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
