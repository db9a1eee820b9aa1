// The engine's inner loops: kernel.wasm where a browser has SIMD, else the same in JavaScript.
//
// Arrays are `Block`s of float32 that both kinds understand; `block.from(i)` is the rest of one
// from its number i on. What each function does is told in the .c files.

import {plain} from "./plain.mjs";

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
    this.simd = true;
    this.end = exports.__heap_base.value;
    for (const name of Object.keys(plain)) {
      this[name] = (...values) =>
        exports[name](...values.map((v) => (v instanceof Block ? v.pointer : v === null ? 0 : v)));
    }
  }

  get buffer() { return this.exports.memory.buffer; }

  block(length) {
    const pointer = Math.ceil(this.end / 16) * 16;
    this.end = pointer + 4 * length;
    const missing = this.end - this.buffer.byteLength;
    if (missing > 0) this.exports.memory.grow(Math.ceil(missing / 65536)); // or a RangeError
    const block = new Block(this, pointer, length);
    block.values.fill(0);
    return block;
  }

  /** Give back all blocks made since `mark` was `kernel.end`. */
  release(mark) { this.end = mark; }
}

/** The same without WebAssembly: each block owns its numbers. */
export class Plain {
  constructor() {
    const call = (f) => (...values) => f(...values.map((v) => (v instanceof PlainBlock ? v.values : v)));
    for (const [name, f] of Object.entries(plain)) this[name] = call(f);
    this.end = 0;
    this.simd = false;
  }

  block(length) { return new PlainBlock(new Float32Array(length)); }

  release() {}
}

class PlainBlock {
  constructor(values) { this.values = values; }

  from(start) { return new PlainBlock(this.values.subarray(start)); }
}

/** A kernel from the bytes of kernel.wasm; in JavaScript where there are none, or no SIMD. */
export async function loadKernel(bytes) {
  if (bytes && typeof WebAssembly === "object" && WebAssembly.validate(bytes)) {
    const {instance} = await WebAssembly.instantiate(bytes, {});
    return new Wasm(instance.exports);
  }
  return new Plain();
}
