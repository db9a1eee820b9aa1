// The rulers (chapter 9): an estimate with faults of one's own making, and what each score says of it.

import {follow, Frame, reading, readings, slider, soundsOf} from "./kit/control.mjs";
import {energyOf, Filters, samplesOf, spectrumOf} from "./kit/least_squares.mjs";
import {h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {drawSpectrum, magnitudes, Spectra} from "./kit/spectra.mjs";

const MOST = 99, OFF = -40; // dB
const STATE = ["muffled", "drums", "noise", "gain", "delay"];
const RULERS = [["SDR", "of images"], ["SI-SDR", ""], ["ISR", "spatial"], ["SIR", "interference"], ["SAR", "artefacts"], ["SDR", "of sources"]];

/** A fader's factor. */
const factor = (db) => (db <= OFF ? 0 : 10 ** (db / 20));
const dB = (above, below) => Math.min(MOST, 10 * Math.log10(above / below));

/** What the bench computes of its sounds, once. */
export class Rulers {
  constructor({voice, drums, noise}, {rate, taps, quiet, fade}) {
    this.length = voice[0].length;
    // The end is silent, so that a delay pushes nothing out.
    const ended = (x) => Float64Array.from(x, (value, n) => value * Math.min(1, Math.max(0, (this.length - quiet - n) / fade)));
    [this.voice, this.drums] = [ended(voice[0]), ended(drums[0])];
    const energy = (x) => x.reduce((sum, value) => sum + value * value, 0), hiss = ended(noise[0]);
    const level = Math.sqrt(energy(this.voice) / energy(hiss)); // 0 dB is as loud as the voice
    this.noise = hiss.map((value) => value * level);
    const blur = Array.from({length: 24}, (_, k) => 0.8 ** k), sum = blur.reduce((a, b) => a + b);
    this.dull = this.voice.map((_, n) => blur.reduce((a, b, k) => a + (n >= k ? (b / sum) * this.voice[n - k] : 0), 0));
    Object.assign(this, {rate, taps, size: 2 ** Math.ceil(Math.log2(this.length + taps))});
    this.V = spectrumOf(this.voice, this.size);
    this.own = new Filters([this.V], taps);
    this.all = new Filters([this.V, spectrumOf(this.drums, this.size)], taps);
    this.energy = energy(this.voice);
  }

  /** The estimate of a state. */
  estimate({muffled, drums, noise, gain, delay}) {
    const late = Math.round((delay / 1000) * this.rate), g = 10 ** (gain / 20), out = new Float64Array(this.length);
    const m = muffled / 100, d = factor(drums), w = factor(noise);
    for (let n = late, i = 0; n < this.length; n++, i++) {
      out[n] = g * ((1 - m) * this.voice[i] + m * this.dull[i] + d * this.drums[i] + w * this.noise[i]);
    }
    return out;
  }

  /** {values: of the rulers in dB, parts: spectra of the three errors}. */
  measure(estimate) {
    const {V, energy} = this, E = spectrumOf(estimate, this.size);
    const filtered = this.own.project(E), explained = this.all.project(E);
    const minus = (x, y) => ({re: x.re.map((value, k) => value - y.re[k]), im: x.im.map((value, k) => value - y.im[k])});
    const parts = [minus(filtered, V), minus(explained, filtered), minus(E, explained)];
    const [spatial, interference, artefacts] = parts.map(energyOf), own = energyOf(filtered);
    let inner = 0, error = 0, square = 0;
    estimate.forEach((x, n) => { inner += x * this.voice[n]; error += (x - this.voice[n]) ** 2; square += x * x; });
    const alpha = inner / energy, scaled = alpha * alpha * energy;
    let left = 0;
    estimate.forEach((x, n) => { left += (x - alpha * this.voice[n]) ** 2; });
    return {parts, values: [dB(energy, error), dB(scaled, left), dB(energy, spatial), dB(own, interference),
      dB(energyOf(explained), artefacts), dB(own, interference + artefacts)]};
  }
}

export async function render({model, el}) {
  const data = model.get("data"), first = Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const frame = new Frame(el, "ruler_bench", "turn muffled, drums and noise off one by one and see which number goes up; then delay the " +
    "perfect voice: SDR, SI-SDR and ISR collapse at once, the others only when the delay is longer than their filters, 32 ms.",
    () => STATE.forEach((key) => set(key, first[key])));
  const canvas = h("canvas", {height: 150, style: "--tall: 9.5rem", role: "img", "aria-label": "spectrogram of what is chosen"});
  const sounder = new Sounder(["estimate", "the voice", "spatial part", "interference", "artefacts"], data.rate, [canvas]);
  const shown = RULERS.map(([name, what]) => reading(`dB ${name} ${what}`));
  const numbers = readings(...shown);
  // In columns of one width, so that nothing moves with the numbers.
  numbers.style.cssText = "display: grid; grid-template-columns: repeat(auto-fill, minmax(8.6rem, 1fr))";
  const fader = (key, label, colour = "") => slider(model, key, {label, min: OFF, max: 0, step: 1, colour,
    shown: (v) => (v <= OFF ? "off" : `${v} dB`.replace("-", "−"))});
  frame.add(sounder.bar.element, sounder.header, numbers, h("p", {class: "note"}, "The three parts are played as loud as the voice."),
    slider(model, "muffled", {label: "muffled", min: 0, max: 100, step: 1, shown: (v) => (v ? `${v} %` : "off"), colour: "--c: var(--vocals)"}),
    fader("drums", "drums leak in", "--c: var(--drums)"), fader("noise", "noise"),
    slider(model, "gain", {label: "gain of it all", min: -20, max: 6, step: 0.5, shown: (v) => `${v.toFixed(1)} dB`.replace("-", "−")}),
    slider(model, "delay", {label: "delay of it all", min: 0, max: 40, step: 0.5, shown: (v) => `${v.toFixed(1)} ms`}));
  frame.element.onkeydown = (event) => sounder.key(event);
  const rulers = new Rulers(await soundsOf(data), data), lens = new Spectra(1024, 256);
  const top = lens.analyse(Float32Array.from(rulers.voice)), brightest = magnitudes(top).reduce((a, x) => Math.max(a, x), 0) / 3;
  let sounds = null, later = 0;
  const picture = () => {
    if (!sounds) return;
    const spectrum = lens.analyse(sounds[sounder.chosen]);
    drawSpectrum(canvas, magnitudes(spectrum), spectrum.frames, spectrum.bins, {nyquist: data.rate / 2, top: brightest, colour: magma});
  };
  sounder.onchoose = picture;
  const run = () => {
    const estimate = rulers.estimate(Object.fromEntries(STATE.map((key) => [key, model.get(key)])));
    const {values, parts} = rulers.measure(estimate);
    shown.forEach((one, i) => one.set(values[i] >= MOST ? "≥ 99" : values[i].toFixed(1).replace("-", "−")));
    el.reading = values;
    // Numbers at once; sound and picture when the hand rests.
    clearTimeout(later);
    later = setTimeout(() => {
      const heard = parts.map((part) => {
        const size = Math.sqrt(energyOf(part) / rulers.energy), louder = size > 1e-4 ? 1 / size : 0;
        return Float32Array.from(samplesOf(part, rulers.length), (x) => louder * x);
      });
      sounds = [Float32Array.from(estimate), Float32Array.from(rulers.voice), ...heard];
      sounder.set(sounds.map((x) => [x]));
      picture();
    }, sounds ? 90 : 0);
  };
  follow(model, STATE, run);
  run();
}
