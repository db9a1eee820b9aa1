// Live: a song goes in as it is played, and the stems come out a window later (chapter 14).

import {OverlapAdd, STFT} from "./stft.mjs";

/** The last samples of an endless channel; what an STFT reads of it is always there. */
class Ring {
  constructor(size) { Object.assign(this, {values: new Float32Array(size), length: Infinity, heard: 0}); }

  write(samples) {
    const {values} = this;
    for (const value of samples) values[this.heard++ % values.length] = value;
  }

  at(n) { return this.values[n % this.values.length]; }

  read(start, out) { for (let n = 0; n < out.length; n++) out[n] = this.at(start + n); }
}

export class LiveSeparator {
  /**
   * networks: of `network.mjs`, which look back only. steps: in how many calls of `advance` a frame
   * is computed, so that no call takes long. `latency`: how many samples after it was pushed one
   * can be read: those of a window, and those pushed meanwhile, `quantum` per call.
   */
  constructor(kernel, networks, {nFft = 4096, hop = 1024, steps = 4, quantum = 128} = {}) {
    Object.assign(this, {kernel, networks, steps, hop, nFft, frame: 0, work: null});
    this.latency = nFft + steps * quantum;
    this.stft = new STFT(kernel, nFft, hop);
    const {row, bins} = this.stft, size = 4 * nFft;
    this.song = [new Ring(size), new Ring(size)];
    this.stems = networks.map(() => [new Ring(size), new Ring(size)]);
    this.outputs = networks.map(() => new OverlapAdd(this.stft, Infinity));
    this.states = networks.map((network) => network.layers.map(() => network.state()));
    this.mixture = kernel.block(4 * row);
    this.stem = kernel.block(4 * row);
    this.seen = kernel.block(networks[0].encode.width);
    this.mask = kernel.block(2 * bins);
    this.both = networks.map((network) => kernel.block(2 * network.hidden));
    this.stages = 2 + networks.length * (networks[0].layers.length + 3);
  }

  /** The next samples of the song, left and right: as many as you like, but fewer than a hop. */
  push(left, right) {
    this.song[0].write(left);
    this.song[1].write(right);
  }

  get heard() { return this.song[0].heard; }

  /** Do a share of the work that has come up. */
  advance() {
    // The first frame is mirrored, which takes a sample more.
    const complete = this.heard > this.frame * this.hop + this.nFft / 2 - (this.frame ? 1 : 0);
    if (!this.work && complete) this.work = this.compute();
    for (let k = 0; this.work && k < Math.ceil(this.stages / this.steps); k++) {
      if (this.work.next().done) this.work = null;
    }
  }

  /** One frame, in `stages` steps of about the same length. */
  *compute() {
    const {kernel, stft, networks, mixture, seen, mask, both, states} = this, {row, bins} = stft;
    const {maxBin} = networks[0], t = this.frame++;
    stft.analyse(this.song, t, mixture);
    for (const channel of [0, 1]) {
      kernel.magnitude(seen.from(channel * maxBin), mixture.from(2 * channel * row),
                       mixture.from((2 * channel + 1) * row), null, maxBin);
    }
    yield;
    for (const [j, network] of networks.entries()) {
      const {hidden} = network;
      network.first(seen, 1, both[j]);
      yield;
      let rows = both[j];
      for (const [l, [direction]] of network.layers.entries()) {
        network.recur(direction, rows, 1, states[j][l], both[j].from(hidden), hidden);
        rows = both[j].from(hidden);
        yield;
      }
      network.mask(both[j], 1, mask);
      yield;
      this.masked(mask, bins, row);
      this.outputs[j].push(this.stem, (first, left, right) => {
        this.stems[j][0].write(left);
        this.stems[j][1].write(right);
      });
      yield;
    }
  }

  /** The mixture's spectra times a mask, into `this.stem`. */
  masked(mask, bins, row) {
    const m = mask.values, x = this.mixture.values, y = this.stem.values;
    for (let part = 0; part < 4; part++) {
      const factors = (part >> 1) * bins;
      for (let k = 0; k < bins; k++) y[part * row + k] = m[factors + k] * x[part * row + k];
    }
  }

  /**
   * Samples that are `latency` old, as many as were pushed last: per stem, and at the end the rest of
   * the song, [left, right]; silence before the first.
   */
  read(length) {
    const start = this.heard - this.latency - length;
    const stems = this.stems.map((sides) => sides.map((side) => {
      const out = new Float32Array(length);
      for (let n = Math.max(0, -start); n < length; n++) out[n] = side.at(start + n);
      return out;
    }));
    const rest = this.song.map((side, c) => {
      const out = new Float32Array(length);
      for (let n = Math.max(0, -start); n < length; n++) {
        out[n] = stems.reduce((value, sides) => value - sides[c][n], side.at(start + n));
      }
      return out;
    });
    return [...stems, rest];
  }
}
