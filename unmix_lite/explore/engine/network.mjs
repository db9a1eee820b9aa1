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

  /**
   * All but the last stages: frames of magnitudes, (frames, encode.width), both channels' lowest
   * bins side by side -> (frames, 2 hidden), what the first stage says beside what the LSTM makes
   * of it. With `state`, [h, c] per layer, a network that only looks back goes on from it.
   */
  run(seen, frames, out, state = null) {
    const {kernel, hidden, width, encode} = this, mark = kernel.end;
    const encoded = kernel.block(frames * hidden);
    const between = [0, 1].map(() => kernel.block(frames * hidden));
    const gates = kernel.block(frames * 4 * width), sums = kernel.block(4 * width);
    const fresh = () => [kernel.block(width), kernel.block(width)];
    kernel.multiply(encoded, seen, encode.block, encode.bias, frames, hidden, encode.width, 0);
    kernel.tanh_all(encoded, frames * hidden);
    let current = encoded;
    this.layers.forEach((directions, l) => {
      // The last layer writes beside what was encoded; no layer writes into its own input.
      const last = l === this.layers.length - 1;
      const target = last ? out.from(hidden) : between[l % 2];
      const stride = last ? 2 * hidden : hidden;
      directions.forEach((d, i) => {
        kernel.multiply(gates, current, d.input.block, d.bias, frames, 4 * width, hidden, 0);
        const [h, c] = state ? state[l] : fresh();
        kernel.lstm(target.from(i * width), stride, gates, d.state.block, h, c, sums,
                    frames, width, d.backward ? 1 : 0);
      });
      current = target;
    });
    const rows = out.values, first = encoded.values;
    for (let t = 0; t < frames; t++) {
      rows.set(first.subarray(t * hidden, (t + 1) * hidden), t * 2 * hidden);
    }
    kernel.release(mark);
  }

  /** The mask of some frames of what `run` gave: (frames, 2 bins), left and right side by side. */
  mask(both, frames, out) {
    const {kernel, hidden, bins, decode, output} = this, mark = kernel.end;
    const mixed = kernel.block(frames * hidden);
    kernel.multiply(mixed, both, decode.block, decode.bias, frames, hidden, 2 * hidden, 0);
    rectify(mixed.values);
    kernel.multiply(out, mixed, output.block, output.bias, frames, 2 * bins, hidden, 0);
    rectify(out.values.subarray(0, frames * 2 * bins));
    kernel.release(mark);
  }
}

function rectify(values) {
  for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] = 0;
}
