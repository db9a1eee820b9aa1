// The mask bench (chapter 3): a binary or a ratio mask of the voice, painted over by hand.

import {choice, follow, Frame, reading, readings, slider, soundsOf} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {drawSpectrum, magnitudes, sdr, Spectra} from "./kit/spectra.mjs";

const BRUSH = {seconds: 0.06, octaves: 0.2}; // on either side

/** The mask before it is painted on, from the magnitudes of the voice and of the rest. */
export function mask(voice, rest, {kind, threshold, exponent}) {
  const lead = 10 ** (threshold / 20);
  return voice.map((v, i) => {
    if (kind === "binary") return v > lead * rest[i] ? 1 : 0;
    const a = v ** exponent, b = rest[i] ** exponent;
    return a / (a + b + 1e-20);
  });
}

/** Strokes [seconds, Hz, 0 or 1]: around each, the mask is that. In place. */
export function paint(values, strokes, {frames, bins, hop, rate}) {
  for (const [seconds, hz, kept] of strokes) {
    const near = Math.ceil(((seconds - BRUSH.seconds) * rate) / hop), far = Math.floor(((seconds + BRUSH.seconds) * rate) / hop);
    const low = hz * 2 ** -BRUSH.octaves, high = hz * 2 ** BRUSH.octaves, step = rate / 2 / (bins - 1);
    for (let t = Math.max(0, near); t <= Math.min(frames - 1, far); t++) {
      for (let k = Math.ceil(low / step); k <= Math.min(bins - 1, Math.floor(high / step)); k++) values[t * bins + k] = kept;
    }
  }
  return values;
}

/** What the bench computes of its data, once. */
export class Bench {
  constructor(voice, rest, {rate, nFft, hop}) {
    Object.assign(this, {voice, rate, hop, length: voice.length, spectra: new Spectra(nFft, hop)});
    this.mixture = voice.map((v, n) => v + rest[n]);
    const [V, R, Y] = [voice, rest, this.mixture].map((x) => this.spectra.analyse(x));
    Object.assign(this, {V, Y, v: magnitudes(V), r: magnitudes(R), y: magnitudes(Y)});
    this.top = this.y.reduce((a, x) => Math.max(a, x), 0) / 3;
  }

  /** The estimate of a state: {values: the mask, estimate, sdr}. */
  run(state) {
    const {V, Y, v, y, rate, hop} = this, {frames, bins} = Y;
    const values = paint(mask(v, this.r, state), state.strokes, {frames, bins, hop, rate});
    const S = {frames, re: new Float32Array(y.length), im: new Float32Array(y.length)};
    for (let i = 0; i < y.length; i++) {
      // Of the voice's own phase, or the mixture's.
      const [source, size] = state.phase === "true" ? [V, v] : [Y, y];
      const factor = size[i] ? (values[i] * y[i]) / size[i] : 0;
      S.re[i] = factor * source.re[i];
      S.im[i] = factor * source.im[i];
    }
    const estimate = this.spectra.inverse(S, this.length);
    return {values, estimate, sdr: sdr(this.voice, estimate)};
  }
}

const STATE = ["kind", "threshold", "exponent", "phase", "strokes"];

export async function render({model, el}) {
  const data = model.get("data"), first = Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const sounds = await soundsOf(data), bench = new Bench(sounds.voice[0], sounds.rest[0], data);
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const frame = new Frame(el, "mask_bench", "move the threshold to +10 dB and listen. The leakage goes; what comes in its place?",
    () => STATE.forEach((key) => set(key, first[key])));
  const canvas = h("canvas", {height: 190, style: "--tall: 12rem", role: "img",
    "aria-label": "spectrogram of the mixture; what the mask takes away is dark"});
  const sounder = new Sounder(["estimate", "the voice itself", "mixture"], data.rate, [canvas]);
  const found = reading("dB SDR of the voice"), lazy = reading("dB the mixture itself");
  const threshold = slider(model, "threshold", {label: "the voice must lead by", min: -15, max: 15, step: 0.5,
    shown: (v) => `${v.toFixed(1)} dB`, colour: "--c: var(--vocals)"});
  const exponent = slider(model, "exponent", {label: "exponent", min: 0.5, max: 6, step: 0.1, shown: (v) => v.toFixed(1)});
  const brush = {kept: null};
  const brushes = [["erase", 0], ["keep", 1]].map(([word, kept]) => h("button", {type: "button", "aria-pressed": "false",
    onclick: () => {
      brush.kept = brush.kept === kept ? null : kept;
      brushes.forEach((b, i) => b.setAttribute("aria-pressed", brush.kept === [0, 1][i]));
      sounder.bar.element.style.cursor = brush.kept === null ? "" : "crosshair";
      sounder.bar.element.style.touchAction = brush.kept === null ? "" : "none";
    }}, `brush: ${word}`));
  frame.buttons.append(...brushes);
  frame.add(sounder.bar.element, sounder.header, readings(found, lazy),
    choice(model, "kind", "mask", [["binary", "binary"], ["ratio", "ratio"]]), threshold, exponent,
    choice(model, "phase", "phase", [["mixture", "the mixture's"], ["true", "the voice's own"]]));
  frame.element.onkeydown = (event) => sounder.key(event);
  paintable(sounder.bar, brush, data, (stroke) => set("strokes", [...model.get("strokes"), stroke]));
  lazy.set(sdr(bench.voice, bench.mixture).toFixed(1));
  const run = () => {
    const state = Object.fromEntries(STATE.map((key) => [key, model.get(key)])), result = bench.run(state);
    threshold.hidden = state.kind !== "binary";
    exponent.hidden = state.kind !== "ratio";
    const shown = bench.y.map((x, i) => x * (0.01 + 0.99 * result.values[i]));
    drawSpectrum(canvas, shown, bench.Y.frames, bench.Y.bins, {nyquist: data.rate / 2, top: bench.top, colour: magma});
    found.set(result.sdr.toFixed(1));
    el.reading = result.sdr;
    sounder.set([[result.estimate], [bench.voice], [bench.mixture]]);
  };
  follow(model, STATE, run);
  run();
}

/** Let a brush paint on the picture where one is taken; else the picture is the place in the sound. */
function paintable(bar, brush, {rate, samples}, onstroke) {
  const seek = bar.element.onpointerdown;
  const stroke = (event) => {
    const box = bar.element.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    onstroke([Number(((x * samples) / rate).toFixed(3)), Math.round(80 * (rate / 2 / 80) ** (1 - y)), brush.kept]);
  };
  bar.element.onpointerdown = (event) => {
    if (brush.kept === null) return seek(event);
    bar.element.setPointerCapture(event.pointerId);
    bar.element.onpointermove = stroke;
    bar.element.onpointerup = bar.element.onpointercancel = () => { bar.element.onpointermove = null; };
    stroke(event);
  };
}
