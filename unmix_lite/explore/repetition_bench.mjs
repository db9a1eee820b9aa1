// The repetition bench (chapter 4): REPET with a period that a hand can drag over the beat spectrum.

import {arrayOf, follow, Frame, readings, slider, soundsOf, steadyReading} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";
import {Plot} from "./kit/plot.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {drawSpectrum, magnitudes, sdr, Spectra} from "./kit/spectra.mjs";

/** The median of the first `count` numbers of `values`, which are sorted by it. */
export function median(values, count) {
  for (let i = 1; i < count; i++) {
    const value = values[i];
    let j = i;
    for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
    values[j] = value;
  }
  return (values[(count - 1) >> 1] + values[count >> 1]) / 2;
}

/** What repeats every `lag` frames, and is never louder than the song: of magnitudes (frames, bins). */
export function repeated(y, frames, bins, lag) {
  const out = new Float32Array(y.length), copies = new Float32Array(Math.ceil(frames / lag));
  for (let first = 0; first < Math.min(lag, frames); first++) {
    for (let k = 0; k < bins; k++) {
      let count = 0;
      for (let t = first; t < frames; t += lag) copies[count++] = y[t * bins + k];
      const middle = median(copies, count);
      for (let t = first; t < frames; t += lag) out[t * bins + k] = Math.min(middle, y[t * bins + k]);
    }
  }
  return out;
}

/** What the bench computes of its data, once. */
export class Bench {
  constructor(voice, rest, {rate, nFft, hop, cutoff}) {
    Object.assign(this, {voice, rest, rate, hop, length: voice.length, spectra: new Spectra(nFft, hop)});
    this.song = voice.map((v, n) => v + rest[n]);
    this.Y = this.spectra.analyse(this.song);
    this.y = magnitudes(this.Y);
    this.lowest = Math.ceil((cutoff * nFft) / rate); // below, all is background
    this.top = this.y.reduce((a, x) => Math.max(a, x), 0) / 3;
  }

  lag(period) { return Math.round((period * this.rate) / this.hop); }

  /** With a period in seconds: {share: of each bin that the voice gets, voice, background, sdr: of both}. */
  run(period) {
    const {y, Y} = this, {frames, bins} = Y, share = repeated(y, frames, bins, this.lag(period));
    const S = {frames, re: new Float32Array(y.length), im: new Float32Array(y.length)};
    for (let t = 0, i = 0; t < frames; t++) {
      for (let k = 0; k < bins; k++, i++) {
        const kept = share[i] = k < this.lowest ? 0 : 1 - share[i] / (y[i] + 1e-10);
        S.re[i] = kept * Y.re[i];
        S.im[i] = kept * Y.im[i];
      }
    }
    const voice = this.spectra.inverse(S, this.length), background = this.song.map((x, n) => x - voice[n]);
    return {share, voice, background, sdr: [sdr(this.voice, voice), sdr(this.rest, background)]};
  }
}

export async function render({model, el}) {
  const data = model.get("data"), first = model.get("period"), beats = arrayOf(data.beats).values;
  const sounds = await soundsOf(data), bench = new Bench(sounds.voice[0], sounds.rest[0], data);
  const step = data.hop / data.rate, ends = [data.shortest, data.longest];
  const set = (value) => {
    model.set("period", Number(Math.min(ends[1], Math.max(ends[0], value)).toFixed(3)));
    model.save_changes();
  };
  const frame = new Frame(el, "repetition_bench",
    "listen to what does not repeat, then move the period a tenth of a second away from the hump. The band no longer lies on itself: what comes into the voice?",
    () => set(first));
  const canvas = h("canvas", {height: 150, style: "--tall: 9rem", role: "img",
    "aria-label": "spectrogram of the song, cut into periods; what does not repeat is dark"});
  const sounder = new Sounder(["what does not repeat", "what repeats", "the song"], data.rate, [canvas]);
  const voice = steadyReading("dB SDR of the voice"), background = steadyReading("dB SDR of the background");
  const top = Math.max(...beats.slice(Math.round(ends[0] / step), Math.round(ends[1] / step)));
  const plot = new Plot({x: {low: 0, high: ends[1], label: "later by (s)"},
    y: {low: 0, high: Math.min(1, 1.15 * top), label: "similarity"}, height: 200, alt: "the beat spectrum"});
  const curve = Array.from(beats.slice(0, Math.floor(ends[1] / step) + 1), (value, lag) => [lag * step, value]);
  const line = [...curve].filter(([, value]) => value <= plot.y.high);
  plot.element.style.cursor = "ew-resize";
  plot.element.onpointerdown = (event) => {
    plot.element.setPointerCapture(event.pointerId);
    plot.element.onpointermove = (move) => set(plot.at(move)[0]);
    plot.element.onpointerup = plot.element.onpointercancel = () => { plot.element.onpointermove = null; };
    set(plot.at(event)[0]);
  };
  frame.add(sounder.bar.element, sounder.header, readings(voice, background), plot.element,
    slider(model, "period", {label: "period", min: ends[0], max: ends[1], step: 0.01, shown: (v) => `${v.toFixed(2)} s`}));
  frame.element.onkeydown = (event) => sounder.key(event);
  const run = () => {
    const period = model.get("period"), lag = bench.lag(period), result = bench.run(period);
    const shown = bench.y.map((x, i) => x * (1 - 0.99 * result.share[i]));
    drawSpectrum(canvas, shown, bench.Y.frames, bench.Y.bins, {nyquist: data.rate / 2, top: bench.top, colour: magma});
    const context = canvas.getContext("2d");
    context.fillStyle = "#ffffffb0";
    for (let t = lag; t < bench.Y.frames; t += lag) context.fillRect(t, 0, 1, canvas.height);
    plot.draw({lines: [{points: line}], marks: [{x: lag * step, label: period < 0.8 * ends[1] ? "period" : ""}],
      dots: [{x: lag * step, y: Math.min(plot.y.high, beats[lag]), size: 7}]});
    plot.say(`the beat spectrum; at ${period.toFixed(2)} s the song is ${beats[lag].toFixed(2)} alike`);
    voice.set(result.sdr[0].toFixed(1));
    background.set(result.sdr[1].toFixed(1));
    el.reading = result.sdr;
    sounder.set([[result.voice], [result.background], [bench.song]]);
  };
  follow(model, ["period"], run);
  run();
}
