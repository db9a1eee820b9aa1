// The parts bench (chapter 4): the parts of a factorisation, each with its column and its row, to hear.

import {arrayOf, follow, Frame, readings, soundsOf, steadyReading} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {drawSpectrum, Spectra} from "./kit/spectra.mjs";

const LOW = 40; // Hz
const LIT = "#fbb587", UNLIT = "#6b6675"; // on a dark ground

/** Spectra (bins, parts) times gains (parts, frames), of the chosen parts: (frames, bins). */
export function product(B, G, chosen) {
  const [bins, parts] = B.shape, frames = G.shape[1], out = new Float32Array(frames * bins);
  for (const k of chosen) {
    for (let t = 0; t < frames; t++) {
      const gain = G.values[k * frames + t];
      for (let f = 0; f < bins; f++) out[t * bins + f] += B.values[f * parts + k] * gain;
    }
  }
  return out;
}

/** The mean frequency of what the chosen parts add up to, in Hz. */
export function centre(model, bins, nyquist) {
  let sum = 0, all = 0;
  model.forEach((value, i) => { sum += value * (i % bins); all += value; });
  return all ? ((sum / all) * nyquist) / (bins - 1) : 0;
}

const energy = (x) => x.reduce((sum, value) => sum + value * value, 0);

/** What the bench computes of its data, once. */
export class Bench {
  constructor(drums, B, G, {rate, nFft, hop}) {
    Object.assign(this, {drums, B, G, rate, spectra: new Spectra(nFft, hop)});
    this.Y = this.spectra.analyse(drums);
    this.whole = product(B, G, Array.from({length: B.shape[1]}, (_, k) => k));
    this.top = this.whole.reduce((a, x) => Math.max(a, x), 0) / 3;
  }

  /** Of parts numbered from 1: {model: their product, sound: their share of the drums, percent, hertz}. */
  run(parts) {
    const {Y, whole, drums} = this, model = product(this.B, this.G, parts.map((k) => k - 1));
    const S = {frames: Y.frames, re: new Float32Array(model.length), im: new Float32Array(model.length)};
    model.forEach((value, i) => {
      const share = value / (whole[i] + 1e-10);
      S.re[i] = share * Y.re[i];
      S.im[i] = share * Y.im[i];
    });
    const sound = this.spectra.inverse(S, drums.length);
    return {model, sound, percent: (100 * energy(sound)) / energy(drums), hertz: centre(model, Y.bins, this.rate / 2)};
  }
}

/** A canvas of curves side by side: `along(k, x)` is curve k at x, of `size`; `across`: they stand upright. */
function drawCurves(canvas, count, size, along, lit, across) {
  const context = canvas.getContext("2d"), wide = across ? canvas.width : canvas.height, lane = wide / count;
  context.fillStyle = "#000004";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let k = 0; k < count; k++) {
    const values = Array.from({length: size}, (_, x) => along(k, x)), top = Math.max(...values, 1e-20);
    context.fillStyle = lit(k) ? LIT : UNLIT;
    values.forEach((value, x) => {
      const tall = Math.max(1, (value / top) * (lane - 4));
      if (across) context.fillRect(k * lane + 2, x, tall, 1);
      else context.fillRect(x, (k + 1) * lane - tall, 1, tall);
    });
  }
}

export async function render({model, el}) {
  const data = model.get("data"), first = model.get("parts"), sounds = await soundsOf(data);
  const B = arrayOf(data.spectra), G = arrayOf(data.gains), [bins, count] = B.shape, frames = G.shape[1];
  const bench = new Bench(sounds.drums[0], B, G, data), every = Array.from({length: count}, (_, k) => k + 1);
  const set = (parts) => { model.set("parts", parts); model.save_changes(); };
  const frame = new Frame(el, "parts_bench",
    "press the parts one by one, from the lowest to the highest. Which of them is one drum, and which only the stroke or the ring of one?",
    () => { several = false; many.setAttribute("aria-pressed", "false"); set(first); });
  const rows = h("canvas", {width: frames, height: 20 * count, style: "--tall: 6rem", role: "img", "aria-label": "the gains, a row for each part"});
  const middle = h("canvas", {height: 150, style: "--tall: 9.5rem", role: "img", "aria-label": "spectrogram of the parts that are chosen"});
  const columns = h("canvas", {width: 24 * count, height: 150, role: "img", "aria-label": "the spectra, a column for each part",
    style: "width: 100%; height: 9.5rem; display: block; background: #000004"});
  const sounder = new Sounder(["what is chosen"], data.rate, [rows, middle]);
  const share = steadyReading("% of the drums' energy"), hertz = steadyReading("Hz on average", 4.6);
  let several = false;
  const press = (k) => {
    const now = model.get("parts");
    if (!several) set([k]);
    else set(now.includes(k) ? now.filter((part) => part !== k) : [...now, k].sort((a, b) => a - b));
    sounder.transport?.play();
  };
  const buttons = every.map((k) => h("button", {type: "button", style: "--c: var(--drums)", onclick: () => press(k)},
    `part ${k}`, h("kbd", {"aria-hidden": "true"}, k)));
  const all = h("button", {type: "button", onclick: () => { set(every); sounder.transport?.play(); }}, "all");
  const many = h("button", {type: "button", "aria-pressed": "false", onclick: () => {
    several = !several;
    many.setAttribute("aria-pressed", several);
  }}, "several at once");
  const small = (text) => h("span", {}, text), note = "color: var(--soft); font-size: .75rem; line-height: 1; text-align: center";
  frame.add(
    h("div", {style: "display: grid; grid-template-columns: minmax(3.5rem, 14%) 1fr; column-gap: 2px"},
      h("div", {"aria-hidden": "true", style: `${note}; display: flex; flex-direction: column; justify-content: space-around; height: 6rem`},
        ...every.map(small)),
      h("div", {style: "grid-row: span 2; min-width: 0"}, sounder.bar.element), columns,
      h("div", {"aria-hidden": "true", style: `${note}; display: flex; justify-content: space-around; padding-top: .3rem`}, ...every.map(small)),
      h("div", {"aria-hidden": "true", style: `${note}; padding-top: .3rem`}, "time →")),
    sounder.header, h("header", {}, h("div", {class: "chips", role: "group", "aria-label": "parts"}, ...buttons, all, many)),
    readings(share, hertz));
  frame.element.onkeydown = (event) => {
    const k = Number(event.key);
    if (!every.includes(k) || event.altKey || event.ctrlKey || event.metaKey) return sounder.key(event);
    press(k);
    event.preventDefault();
  };
  const nyquist = data.rate / 2, bin = (y) => Math.min(bins - 1,
    Math.round(((LOW * (nyquist / LOW) ** (1 - y / columns.height)) / nyquist) * (bins - 1)));
  const run = () => {
    const parts = model.get("parts"), result = bench.run(parts), lit = (k) => parts.includes(k + 1);
    drawCurves(rows, count, frames, (k, t) => G.values[k * frames + t], lit, false);
    drawCurves(columns, count, columns.height, (k, y) => B.values[bin(y) * count + k], lit, true);
    drawSpectrum(middle, result.model, frames, bins, {nyquist, low: LOW, top: bench.top, colour: magma});
    buttons.forEach((button, k) => button.setAttribute("aria-pressed", lit(k)));
    share.set(result.percent.toFixed(0));
    hertz.set(result.hertz.toFixed(0));
    el.reading = [result.percent, result.hertz];
    sounder.set([[result.sound]]);
  };
  follow(model, ["parts"], run);
  run();
}
