#!/bin/sh
# Build kernel.wasm: `sh unmix_lite/explore/engine/build.sh` (needs clang 14 or newer
# with its WebAssembly target, and lld: on Debian `apt install clang lld`).
set -e
cd "$(dirname "$0")"
clang --target=wasm32 -O3 -msimd128 -fno-builtin -nostdlib \
  -Wl,--no-entry -Wl,--export=__heap_base -Wl,--strip-all -Wl,-z,stack-size=65536 \
  -o "${1:-kernel.wasm}" spectra.c network.c filter.c
