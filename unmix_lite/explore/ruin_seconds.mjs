// Seconds to ruin (chapter 9): noise in seconds of one's choice, and three ways to make one number of them.

import {follow, Frame, reading, readings, soundsOf} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";
import {Plot} from "./kit/plot.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {drawSpectrum, magnitudes, Spectra} from "./kit/spectra.mjs";

const FLOOR = 1e-7; // what the utterance SDR adds to both energies

/** A second of noise between -1 and 1, the same in Python. */
export function hiss(count) {
  let seed = 1;
  return Float64Array.from({length: count}, () => (seed = (seed * 16807) % 2147483647) / 1073741823.5 - 1);
}

/** The estimate with noise in the seconds of the list: twice as strong as the voice is on the whole. */
export function ruin(voice, estimate, seconds, rate) {
  const noise = hiss(rate), out = Float64Array.from(estimate);
  const level = 2 * Math.sqrt((3 * voice.reduce((sum, x) => sum + x * x, 0)) / voice.length);
  for (const second of seconds) {
    for (let n = 0; n < rate; n++) out[second * rate + n] += level * noise[n];
  }
  return out;
}

/** {frames: SDR of each second, median, mean, whole} in dB. Silent seconds are left out. */
export function summaries(voice, estimate, rate) {
  const frames = [];
  let above = FLOOR, below = FLOOR;
  for (let first = 0; first + rate <= voice.length; first += rate) {
    let energy = 0, error = 0, loud = false;
    for (let n = first; n < first + rate; n++) {
      energy += voice[n] ** 2;
      error += (voice[n] - estimate[n]) ** 2;
      loud ||= estimate[n] !== 0;
    }
    frames.push(energy > 0 && loud ? 10 * Math.log10(energy / error) : NaN);
    above += energy;
    below += error;
  }
  const known = frames.filter((x) => !Number.isNaN(x)).sort((a, b) => a - b), half = known.length / 2;
  return {frames, median: (known[Math.ceil(half) - 1] + known[Math.floor(half)]) / 2,
    mean: known.reduce((a, b) => a + b, 0) / known.length, whole: 10 * Math.log10(above / below)};
}

export async function render({model, el}) {
  const data = model.get("data"), {rate} = data, first = [...model.get("ruined")];
  const set = (seconds) => { model.set("ruined", seconds); model.save_changes(); };
  const count = Math.floor(data.samples / rate);
  const frame = new Frame(el, "ruin_seconds", "ruin one second, then one more, and so on: the mean and the whole clip fall at once, the median " +
    "hardly notices, until half of the seconds are gone.", () => set(first));
  const canvas = h("canvas", {height: 120, style: "--tall: 7rem", role: "img", "aria-label": "spectrogram of the estimate, with what is ruined"});
  const sounder = new Sounder(["estimate", "the voice"], rate, [canvas]);
  const shown = ["median (solid)", "mean (dashed)", "whole clip (dotted)"].map((words) => reading(`dB ${words}`));
  const buttons = Array.from({length: count}, (_, i) => h("button", {type: "button", "aria-pressed": "false", style: "flex: 1; min-width: 0; padding: 0",
    "aria-label": `ruin second ${i + 1}`, onclick: () => {
      const now = model.get("ruined");
      set(now.includes(i) ? now.filter((second) => second !== i) : [...now, i].sort((a, b) => a - b));
    }}, String(i + 1)));
  const row = h("div", {role: "group", "aria-label": "seconds to ruin", style: "display: flex; gap: .2rem; padding: .5rem 0"}, ...buttons);
  const numbers = readings(...shown);
  numbers.style.cssText = "display: grid; grid-template-columns: repeat(auto-fill, minmax(8.6rem, 1fr))";
  frame.element.onkeydown = (event) => {
    // The digits ruin seconds here; space plays.
    if (event.key === " ") sounder.key(event);
  };
  const sounds = await soundsOf(data), [voice, estimate] = ["voice", "estimate"].map((name) => sounds[name][0].subarray(0, count * rate));
  const clean = summaries(voice, estimate, rate), worst = summaries(voice, ruin(voice, estimate, [...buttons.keys()], rate), rate);
  const known = [...clean.frames, ...worst.frames].filter(Number.isFinite);
  const plot = new Plot({x: {low: 0, high: count, label: "time (s)"}, height: 210,
    y: {low: Math.min(...known) - 2, high: Math.max(...known) + 2, label: "SDR (dB)"}, alt: "SDR of each second, and three summaries"});
  frame.add(sounder.bar.element, row, plot.element, numbers, sounder.header);
  const lens = new Spectra(1024, 512), original = magnitudes(lens.analyse(estimate)), top = original.reduce((a, x) => Math.max(a, x), 0) / 3;
  const run = () => {
    const ruined = model.get("ruined"), now = ruin(voice, estimate, ruined, rate);
    const {frames, median, mean, whole} = summaries(voice, now, rate);
    const spectrum = lens.analyse(Float32Array.from(now));
    drawSpectrum(canvas, magnitudes(spectrum), spectrum.frames, spectrum.bins, {nyquist: rate / 2, top, colour: magma});
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", ruined.includes(i)));
    const across = (value, dash, width) => ({points: [[0, value], [count, value]], dash, width});
    plot.draw({lines: [across(median, "", 3), across(mean, "8 5", 2), across(whole, "2 4", 2)],
      dots: frames.map((y, i) => ({x: i + 0.5, y, colour: ruined.includes(i) ? "var(--drums)" : "var(--vocals)", size: 6})).filter(({y}) => Number.isFinite(y))});
    plot.say(`${ruined.length} seconds of ${count} are ruined`);
    [median, mean, whole].forEach((value, i) => shown[i].set(value.toFixed(1).replace("-", "−")));
    el.reading = [median, mean, whole];
    sounder.set([[Float32Array.from(now)], [voice]]);
  };
  follow(model, ["ruined"], run);
  run();
}
