// Open-Unmix (chapter 6), with its batch norms and scales folded into the matrices beside them.

import {matrix, vector} from "./weights.mjs";

/** One network. `about`: its arguments in model.json. Sees `maxBin` bins of both channels. */
export class Network {
  constructor(kernel, tensors, about) {
    this.kernel = kernel;
    const layer = (name) => ({
      ...matrix(kernel, tensors, `${name}.weight`), bias: vector(kernel, tensors, `${name}.bias`),
    });
    [this.encode, this.decode, this.output] = ["encode", "decode", "output"].map(layer);
    this.hidden = this.encode.rows;
    this.bins = about.nb_bins;
    this.maxBin = this.encode.columns / 2;
    const directions = tensors["0.backward.input"] ? ["forward", "backward"] : ["forward"];
    this.width = this.hidden / directions.length; // of one direction
    this.layers = Array.from({length: about.nb_layers}, (_, l) => directions.map((d) => ({
      input: matrix(kernel, tensors, `${l}.${d}.input`),
      state: matrix(kernel, tensors, `${l}.${d}.state`),
      bias: vector(kernel, tensors, `${l}.${d}.bias`),
      backward: d === "backward",
    })));
  }

  /** The first stage: `seen` (frames, encode.width), both channels' lowest bins -> (frames, hidden). */
  first(seen, frames, out) {
    const {kernel, hidden, encode} = this;
    kernel.multiply(out, seen, encode.block, encode.bias, frames, hidden, encode.width, 0);
    kernel.tanh_all(out, frames * hidden);
  }

  /** A fresh state of one direction of an LSTM layer: [h, c]. */
  state() { return [this.kernel.block(this.width), this.kernel.block(this.width)]; }

  /**
   * One direction of one layer: (frames, hidden) -> out, whose row t begins at t * stride. It goes
   * on from `state`, and leaves there what comes next.
   */
  recur({input, state: matrix, bias, backward}, rows, frames, [h, c], out, stride) {
    const {kernel, hidden, width} = this, mark = kernel.end;
    const gates = kernel.block(frames * 4 * width), sums = kernel.block(4 * width);
    kernel.multiply(gates, rows, input.block, bias, frames, 4 * width, hidden, 0);
    kernel.lstm(out, stride, gates, matrix.block, h, c, sums, frames, width, backward ? 1 : 0);
    kernel.release(mark);
  }

  /**
   * The last stages, from `both` (frames, 2 hidden), what the first stage said and beside it what
   * the LSTM made of it -> the mask (frames, 2 bins), left and right side by side.
   */
  mask(both, frames, out) {
    const {kernel, hidden, bins, decode, output} = this, mark = kernel.end;
    const mixed = kernel.block(frames * hidden);
    kernel.multiply(mixed, both, decode.block, decode.bias, frames, hidden, 2 * hidden, 0);
    kernel.rectify(mixed, frames * hidden);
    kernel.multiply(out, mixed, output.block, output.bias, frames, 2 * bins, hidden, 0);
    kernel.rectify(out, frames * 2 * bins);
    kernel.release(mark);
  }
}
