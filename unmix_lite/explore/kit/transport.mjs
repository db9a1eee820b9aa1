// One transport for several sounds: they start at one sample, stay in step, and are let through by
// their gains. A sound is a `Track`; whole songs are scheduled some seconds ahead, so that of what
// is kept in 16 bits only those seconds are unpacked.

import {Side} from "../engine/side.mjs";

const PIECE = 2; // s that are scheduled at once
const AHEAD = 6; // s; a hidden tab's timers may be a second late
const SOON = 0.05; // s between a command and the sound

/** A sound in memory: one or two channels of the same length. */
export class Track {
  /** sides: Float32Arrays, or Int16Arrays of which 32767 means `scale`. */
  constructor(sides, rate, scale = 1) {
    Object.assign(this, {sides: sides.map((side) => new Side(side, scale)), rate, length: sides[0].length});
  }

  /** Samples from `start` on, both channels; silence before the beginning and after the end. */
  read(start, length) {
    const first = Math.max(0, start), last = Math.min(this.length, start + length);
    const both = this.sides.map((side) => {
      const out = new Float32Array(length);
      if (last > first) side.read(first, out.subarray(first - start, last - start));
      return out;
    });
    return both.length === 2 ? both : [both[0], both[0]];
  }
}

// Each control's script has a copy of this module, and they share one page: its ways to the
// loudspeaker, of which browsers allow few, and what is sounding now.
const page = globalThis.unmixSounds ??= {contexts: new Map(), sounding: null};

/** The page's way to the loudspeaker at a sampling rate. */
function speakers(rate) {
  if (!page.contexts.has(rate)) page.contexts.set(rate, new AudioContext({sampleRate: rate}));
  return page.contexts.get(rate);
}

export class Transport {
  /** tracks of one rate; `makeContext` is called at the first `play`, which a gesture must cause. */
  constructor(tracks, makeContext = () => speakers(tracks[0].rate)) {
    Object.assign(this, {tracks, makeContext, context: null, playing: false, loop: true});
    this.rate = tracks[0].rate;
    this.length = Math.max(...tracks.map((track) => track.length));
    this.gains = tracks.map(() => 1);
    this.pans = tracks.map(() => 0);
    this.region = null; // [first, last) that is looped, in samples
    this.place = 0;
    this.onchange = () => {};
  }

  get ends() { return this.region ?? [0, this.length]; }

  /** Where we are, in samples. */
  get now() {
    if (!this.playing) return this.place;
    const heard = Math.round((this.context.currentTime - this.began) * this.rate);
    return this.placeAfter(Math.max(0, heard));
  }

  get seconds() { return this.now / this.rate; }

  /** The place that many samples after the start, around the loop. */
  placeAfter(samples) {
    const [first, last] = this.ends, place = this.from + samples;
    if (!this.loop || place < last) return Math.min(place, this.length);
    return first + ((place - last) % (last - first));
  }

  connect() {
    const context = this.context = this.makeContext(), outlet = this.outlet(context);
    this.nodes = this.tracks.map((_, i) => {
      const gain = new GainNode(context, {gain: this.gains[i]});
      const pan = new StereoPannerNode(context, {pan: this.pans[i]});
      gain.connect(pan).connect(outlet);
      return {gain, pan};
    });
  }

  /** The node that all goes to: the loudspeakers, or what a control puts before them. */
  outlet(context) { return context.destination; }

  async play() {
    if (this.playing) return;
    if (!this.context) this.connect();
    page.sounding?.pause(); // one at a time
    page.sounding = this;
    this.playing = true; // already now, so that a second press stops
    // Not waited for: in a page that no one has touched it never comes.
    this.context.resume?.();
    this.start();
    this.onchange();
  }

  /** Begin to schedule at `place`, on a whole sample of the context's clock. */
  start() {
    const [first, last] = this.ends;
    if (this.place >= last || (this.region && this.place < first)) this.place = first;
    this.from = this.scheduled = this.place;
    this.began = Math.ceil((this.context.currentTime + SOON) * this.rate) / this.rate;
    this.when = Math.round(this.began * this.rate); // of the next piece, in samples of the clock
    this.sources = new Set();
    this.schedule();
  }

  schedule() {
    if (!this.playing) return;
    const until = (this.context.currentTime + AHEAD) * this.rate;
    while (this.when < until && this.scheduled < this.length) this.piece();
    if (!this.loop && this.now >= this.length) return this.pause(0);
    this.timer = setTimeout(() => this.schedule(), 500);
  }

  /** Schedule the next piece of all tracks. */
  piece() {
    const {context, rate, scheduled} = this, [first, last] = this.ends;
    const end = this.loop ? last : this.length;
    const length = Math.min(PIECE * rate, end - scheduled);
    this.tracks.forEach((track, i) => {
      const buffer = new AudioBuffer({numberOfChannels: 2, length, sampleRate: rate});
      track.read(scheduled, length).forEach((side, c) => buffer.copyToChannel(side, c));
      const source = new AudioBufferSourceNode(context, {buffer});
      source.connect(this.nodes[i].gain);
      source.start(this.when / rate);
      source.onended = () => this.sources.delete(source);
      this.sources.add(source);
    });
    this.when += length;
    this.scheduled += length;
    if (this.loop && this.scheduled >= end) this.scheduled = first;
  }

  silence() {
    clearTimeout(this.timer);
    for (const source of this.sources ?? []) { source.onended = null; source.stop(); source.disconnect(); }
    this.sources = new Set();
  }

  pause(place = this.now) {
    if (!this.playing) return;
    this.place = place;
    this.playing = false;
    this.silence();
    this.onchange();
  }

  toggle() { return this.playing ? this.pause() : this.play(); }

  /** To a place, in samples; what is muted stays so. */
  seek(place) {
    place = Math.round(Math.min(Math.max(0, place), this.length - 1));
    if (this.playing) this.silence();
    this.place = place;
    if (this.playing) this.start();
    this.onchange();
  }

  /** Other samples for the same sounds, of the same length: heard at once, at the same place. */
  replace(tracks) {
    this.tracks = tracks;
    if (this.playing) this.seek(this.now);
  }

  /** Loop a region, or with null the whole. */
  setRegion(region) {
    const place = this.now;
    this.region = region && region.map((x) => Math.round(Math.min(Math.max(0, x), this.length)));
    this.seek(this.region && (place < this.region[0] || place >= this.region[1]) ? this.region[0] : place);
  }

  setLoop(loop) {
    const place = this.now;
    this.loop = loop;
    this.seek(place);
  }

  /** What track i is multiplied by. A step would click: it takes some ms. */
  setGain(i, gain) {
    this.gains[i] = gain;
    if (this.context) this.nodes[i].gain.gain.setTargetAtTime(gain, this.context.currentTime, 0.006);
  }

  setPan(i, pan) {
    this.pans[i] = pan;
    if (this.context) this.nodes[i].pan.pan.setTargetAtTime(pan, this.context.currentTime, 0.006);
  }

  close() {
    this.pause();
    this.nodes?.forEach(({gain, pan}) => { gain.disconnect(); pan.disconnect(); });
  }
}

/** The mix of some samples as the nodes make it (Web Audio's StereoPanner): [left, right]. */
export function mixed(tracks, gains, pans, start, length) {
  const left = new Float32Array(length), right = new Float32Array(length);
  tracks.forEach((track, i) => {
    if (!gains[i]) return;
    const [l, r] = track.read(start, length), pan = pans[i];
    const angle = ((pan <= 0 ? pan + 1 : pan) * Math.PI) / 2;
    const a = gains[i] * Math.cos(angle), b = gains[i] * Math.sin(angle), g = gains[i];
    for (let n = 0; n < length; n++) {
      left[n] += pan <= 0 ? g * l[n] + a * r[n] : a * l[n];
      right[n] += pan <= 0 ? b * r[n] : g * r[n] + b * l[n];
    }
  });
  return [left, right];
}
