// The window bench (chapter 2): the same sound through short windows and long ones, and without its phase.

import {choice, follow, Frame, reading, readings, slider, soundsOf} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {magnitudes, sdr, Spectra} from "./kit/spectra.mjs";

const LOW = 40; // Hz, at the foot of the picture
const SPAN = 60; // dB
const HELD = 0.9; // of the energy

// Magma as the numbers that an image's memory holds.
const COLOURS = Uint32Array.from({length: 256}, (_, i) => {
  const [r, g, b] = magma(i / 255).map(Math.round);
  return 0xff000000 | (b << 16) | (g << 8) | r;
});

/** A sound through one window, whose hop is a quarter of it. All is computed when first asked for. */
export class View {
  constructor(samples, length) {
    Object.assign(this, {samples, spectra: new Spectra(length, length / 4)});
    const Y = this.spectra.analyse(samples);
    Object.assign(this, {frames: Y.frames, bins: Y.bins, magnitude: magnitudes(Y)});
  }

  /** Levels between 0 and 255, of which each step is the same number of dB. */
  get levels() {
    if (this.bytes) return this.bytes;
    const top = this.magnitude.reduce((a, x) => Math.max(a, x), 0) / 2;
    this.bytes = Uint8ClampedArray.from(this.magnitude,
      (x) => 255 * (1 + (20 * Math.log10(x / top + 1e-9)) / SPAN));
    return this.bytes;
  }

  /** How many of the bins, the strongest first, hold 90 % of the energy; in %. */
  get needed() {
    if (this.share !== undefined) return this.share;
    const sorted = Float32Array.from(this.magnitude).sort();
    let all = 0, held = 0, count = 0;
    for (const x of sorted) all += x * x;
    for (let i = sorted.length - 1; i >= 0; i--, count++) {
      held += sorted[i] ** 2;
      if (held >= HELD * all) break;
    }
    this.share = (100 * count) / sorted.length;
    return this.share;
  }

  /** The magnitudes played with all phases zero: {sound, sdr}. */
  get zero() {
    if (this.robot) return this.robot;
    const {magnitude, frames, bins} = this, re = Float32Array.from(magnitude);
    // Zero in the middle of the frame, half a window on from its first sample: bin k turns k half turns.
    for (let t = 0; t < frames; t++) for (let k = 1; k < bins; k += 2) re[t * bins + k] *= -1;
    const sound = this.spectra.inverse({frames, re, im: new Float32Array(re.length)}, this.samples.length);
    this.robot = {sound, sdr: sdr(this.samples, sound)};
    return this.robot;
  }
}

/** Draw a view up to `top` Hz, frames centred where they are. */
export function draw(canvas, {levels, frames, bins, samples, spectra: {hop, nFft}}, rate, top) {
  const {width, height} = canvas, image = new ImageData(frames, height), pixels = new Uint32Array(image.data.buffer);
  for (let y = 0; y < height; y++) {
    const hz = LOW * (top / LOW) ** (1 - (y + 0.5) / height), k = Math.min(bins - 1, Math.round((hz * nFft) / rate));
    for (let t = 0; t < frames; t++) pixels[y * frames + t] = COLOURS[levels[t * bins + k]];
  }
  const drawn = h("canvas", {width: frames, height});
  drawn.getContext("2d").putImageData(image, 0, 0);
  const step = (hop * width) / samples.length;
  canvas.getContext("2d").drawImage(drawn, -step / 2, 0, step * frames, height);
}

/** A model whose numbers a slider sees through a function, and sets through its inverse. */
function seen(model, to, from) {
  return {get: (key) => to(model.get(key)), set: (key, value) => model.set(key, from(value)),
    on: (name, listener) => model.on(name, listener), save_changes: () => model.save_changes()};
}

const STATE = ["sound", "length", "top", "phase"];
const kilo = (hz) => hz < 1000 ? `${Math.round(hz)} Hz` : `${(hz / 1000).toFixed(hz < 9950 ? 1 : 0)} kHz`;

export async function render({model, el}) {
  const data = model.get("data"), {rate, names, lengths} = data, nyquist = rate / 2;
  const first = Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const sounds = await soundsOf(data), views = new Map();
  const view = (sound, length) => {
    const key = `${sound} ${length}`;
    if (!views.has(key)) views.set(key, new View(sounds[sound][0], length));
    return views.get(key);
  };
  const frame = new Frame(el, "window_bench", "from 512 to 16384, with the drums and then with the bass. " +
    "As the hits smear sideways, the bass comes apart into lines. Then set the phase to zero, which the picture does not show.",
    () => { for (const key of STATE) model.set(key, first[key]); model.save_changes(); });
  const canvas = h("canvas", {width: 900, height: 220, style: "--tall: 13rem", role: "img"});
  const above = h("span", {class: "axis", style: "top: 6px"});
  const sounder = new Sounder([""], rate, [canvas, above, h("span", {class: "axis", style: "bottom: 6px"}, `${LOW} Hz`)]);
  const heard = sounder.header.querySelector(".chips");
  const wide = reading("Hz from bin to bin"), long = reading("ms in a window");
  const needed = reading("% of bins hold 90 % of the energy"), way = reading("");
  frame.add(sounder.bar.element, sounder.header, readings(wide, long, needed, way),
    slider(seen(model, Math.log2, (power) => 2 ** power), "length", {label: "window, in samples",
      min: Math.log2(lengths[0]), max: Math.log2(lengths.at(-1)), step: 1, shown: (power) => String(2 ** power)}),
    choice(model, "sound", "sound", names.map((name) => [name, name])),
    choice(model, "phase", "phase", [["own", "its own"], ["zero", "zero"]]),
    slider(seen(model, (hz) => Math.log2(hz / nyquist), (octaves) => Math.round(nyquist * 2 ** octaves)), "top",
      {label: "picture up to", min: -5.5, max: 0, step: 0.125, shown: (octaves) => kilo(nyquist * 2 ** octaves)}));
  frame.element.onkeydown = (event) => sounder.key(event);
  const run = () => {
    const [sound, length, top, phase] = STATE.map((key) => model.get(key)), shown = view(sound, length);
    const zero = phase === "zero", {needed: share} = shown;
    draw(canvas, shown, rate, top);
    canvas.setAttribute("aria-label", `spectrogram of the ${sound} up to ${kilo(top)}, window of ${length} samples`);
    above.textContent = kilo(top);
    el.reading = [rate / length, (1000 * length) / rate, share];
    wide.set((rate / length).toFixed(1));
    long.set(((1000 * length) / rate).toFixed(1));
    needed.set(share.toFixed(2));
    if (zero) el.reading.push(shown.zero.sdr);
    way.set(zero ? shown.zero.sdr.toFixed(1).replace("-", "−") : "exact");
    way.element.lastChild.textContent = zero ? "dB SDR without the phase" : "on the way back";
    heard.textContent = `${sound}, ${zero ? "phase zero" : "with its phase"}`;
    // With its own phase the way back returns every sample.
    sounder.set([[zero ? shown.zero.sound : shown.samples]]);
    ready(sound);
  };
  // What a drag will ask for next is computed while nothing else is to do.
  const idle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 50));
  const ready = (sound) => {
    const length = lengths.find((one) => !views.has(`${sound} ${one}`));
    if (!length) return;
    idle(() => {
      const {levels, needed: share} = view(sound, length);
      ready(sound);
    });
  };
  follow(model, STATE, run);
  run();
}
