// The training scrubber (chapter 7): what a network hears at some steps of its training.

import {follow, Frame, reading, readings, slider, soundsOf} from "./kit/control.mjs";
import {colourOf, h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";
import {Plot} from "./kit/plot.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {drawSpectrum, magnitudes, sdr, Spectra} from "./kit/spectra.mjs";

const DASHES = ["6 4", ""]; // own songs, other songs

/** The loss at every checkpoint. These stand at equal distances: each has about twice the last one's steps. */
function curves({steps, losses}) {
  const all = Object.values(losses).flat(), names = Object.keys(losses);
  const plot = new Plot({
    x: {low: -0.2, high: steps.length - 0.6, label: "step", ticks: steps.map((_, i) => i), shown: (i) => String(steps[i])},
    y: {low: Math.min(0.5, 0.85 * Math.min(...all)), high: Math.max(2, 1.2 * Math.max(...all)), log: true,
      ticks: [0.2, 0.5, 1, 2, 5, 10].filter((y) => y > 0.85 * Math.min(...all, 0.6) && y < 1.2 * Math.max(...all, 2)), label: "loss"},
    height: 210, alt: `loss over that of silence at every step: ${names[0]} dashed, ${names[1]} solid`,
  });
  const points = (row) => row.map((loss, i) => [i, loss]);
  const draw = (at) => plot.draw({
    lines: [{points: [[-0.2, 1], [steps.length - 0.6, 1]], colour: "var(--soft)", width: 1},
      ...Object.values(losses).map((row, i) => ({points: points(row), dash: DASHES[i]}))],
    dots: Object.values(losses).map((row) => ({x: at, y: row[at], size: 7, colour: "var(--c)"})),
  });
  return {element: plot.element, draw};
}

export async function render({model, el}) {
  const data = model.get("data"), {steps, rate, target, losses} = data, first = model.get("checkpoint");
  const sounds = await soundsOf(data), [truth] = sounds.true, [mixture] = sounds.mixture;
  const estimates = steps.map((step) => sounds[`step ${step}`][0]), scores = estimates.map((x) => sdr(truth, x));
  const spectra = new Spectra(data.nFft, data.hop), pictures = [];
  // One brightness for all, so that what leaves the picture is seen to leave.
  const of = (i) => { pictures[i] ??= {...spectra.analyse(estimates[i])}; return pictures[i].size ??= magnitudes(pictures[i]); };
  const top = of(0).reduce((a, x) => Math.max(a, x), 0) / 3;
  const set = (value) => { model.set("checkpoint", value); model.save_changes(); };
  const frame = new Frame(el, "training_scrubber",
    `play, and drag the training from left to right. What of the song goes first, and is there still something besides the ${target} at the end?`,
    () => set(first));
  frame.element.style.cssText = colourOf(target);
  const canvas = h("canvas", {height: 170, style: "--tall: 11rem", role: "img"});
  const sounder = new Sounder(["estimate", `the true ${target}`, "mixture"], rate, [canvas]);
  const score = reading(`dB SDR of the ${target}`), lazy = reading("dB the mixture itself");
  const names = Object.keys(losses), plot = curves(data);
  const scrubber = slider(model, "checkpoint", {label: "steps of training", min: 0, max: steps.length - 1, step: 1,
    shown: (i) => steps[i].toLocaleString("en"), colour: colourOf(target)});
  const words = h("p", {class: "note"});
  frame.add(sounder.bar.element, sounder.header, scrubber, readings(score, lazy), words, plot.element);
  frame.element.onkeydown = (event) => sounder.key(event);
  lazy.set(sdr(truth, mixture).toFixed(1).replace("-", "−"));
  const run = () => {
    const at = Math.min(steps.length - 1, Math.max(0, model.get("checkpoint")));
    drawSpectrum(canvas, of(at), pictures[at].frames, pictures[at].bins, {nyquist: rate / 2, top, colour: magma});
    canvas.setAttribute("aria-label", `spectrogram of the estimate after ${steps[at]} steps`);
    score.set(scores[at].toFixed(1).replace("-", "−"));
    words.textContent = `Loss over that of silence: ${names.map((name, i) => `${losses[name][at].toFixed(2)} on ${name} (${["dashed", "solid"][i]})`).join(", ")}.`;
    plot.draw(at);
    el.reading = scores[at];
    sounder.set([[estimates[at]], [truth], [mixture]]);
  };
  follow(model, ["checkpoint"], run);
  run();
}
