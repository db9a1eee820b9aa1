// The live separator in the browser's audio thread: 128 samples in, 128 samples out.

import {loadKernel} from "./kernel.mjs";
import {LiveSeparator} from "./live.mjs";
import {Network} from "./network.mjs";

const REPORT = 100; // calls between two messages to the page

class LiveProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    Object.assign(this, {separator: null, gains: [], now: [], calls: 0, busy: 0, dry: true});
    this.port.onmessage = ({data}) => {
      if (data.gains) this.gains = data.gains;
      else this.load(data).catch((error) => this.port.postMessage({error: String(error)}));
    };
  }

  async load({about, kernel: bytes, weights}) {
    const kernel = await loadKernel(bytes);
    const networks = about.targets.map(
      (target) => new Network(kernel, weights[target], about.networks[target]),
    );
    this.separator = new LiveSeparator(kernel, networks, {nFft: about.n_fft, hop: about.hop_length});
    this.port.postMessage({ready: true, latency: this.separator.latency});
  }

  process([input], [output]) {
    const {separator} = this, [left, right] = output, length = left.length;
    if (!separator) return true;
    const began = Date.now(), silence = new Float32Array(length);
    const first = input[0] ?? silence;
    separator.push(first, input[1] ?? first);
    separator.advance();
    separator.read(length).forEach((sides, j) => this.add(left, right, sides, j));
    this.busy += Date.now() - began;
    if (++this.calls % REPORT === 0) {
      const seconds = (REPORT * length) / sampleRate;
      this.port.postMessage({busy: this.busy / 1000 / seconds});
      this.busy = 0;
    }
    return true;
  }

  /** A fader moves within some ms, so that it does not click. */
  add(left, right, sides, j) {
    let gain = this.now[j] ?? 0;
    const step = ((this.gains[j] ?? 1) - gain) / left.length / 4;
    for (let n = 0; n < left.length; n++) {
      gain += step;
      left[n] += gain * sides[0][n];
      right[n] += gain * sides[1][n];
    }
    this.now[j] = gain;
  }
}

registerProcessor("unmix-live", LiveProcessor);
