// The Wiener bench (chapter 8): two sources in one bin of stereo, and rounds of the filter on a song.

import {choice, follow, Frame, reading, readings, slider, soundsOf} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";
import {Plot} from "./kit/plot.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {drawSpectrum, Spectra} from "./kit/spectra.mjs";
import {decibels, wiener} from "./kit/wiener_rounds.mjs";

const RIDGE = 1e-5, REACH = 2.2, LOUD = 3, COLOURS = ["var(--vocals)", "var(--drums)"];
const STATE = ["pan_1", "width_1", "level_1", "pan_2", "width_2", "level_2", "rounds", "way"];

/** v R of a source: [[a, c], [c, b]] as [a, b, c]; of one direction, but for `width` of all. */
export function covariance(pan, width, level) {
  const angle = (pan * Math.PI) / 180, l = Math.cos(angle), r = Math.sin(angle), v = 10 ** (level / 10);
  return [v * (2 * (1 - width) * l * l + width), v * (2 * (1 - width) * r * r + width), v * 2 * (1 - width) * l * r];
}

/** {filter: [[., .], [., .]], sdr, mask}: of source 1, in dB what is expected of the filter and of a mask. */
export function filterOf(one, two) {
  const [a, b, c] = one.map((value, i) => value + two[i] + (i < 2 ? RIDGE : 0)), d = a * b - c * c;
  const [p, q, s] = one;
  const filter = [[(p * b - s * c) / d, (s * a - p * c) / d], [(s * b - q * c) / d, (q * a - s * c) / d]];
  const got = filter[0][0] * p + filter[0][1] * s + filter[1][0] * s + filter[1][1] * q;
  const error = p + q - got, other = two[0] + two[1];
  return {filter, sdr: decibels(p + q, error), mask: decibels(p + q + other, other)};
}

/** What the bench computes of its song, once; the rounds as they are asked for. */
export class Song {
  constructor(sounds, {rate, nFft, hop}) {
    this.spectra = new Spectra(nFft, hop);
    const [voice, rest, mixture] = ["voice guess", "rest guess", "song"].map((name) =>
      [0, 1].map((c) => this.spectra.analyse(sounds[name][Math.min(c, sounds[name].length - 1)])));
    Object.assign(this, {sounds, rate, guesses: [voice, rest], mixture, kept: new Map()});
    this.frames = voice[0].frames;
    this.bins = voice[0].bins;
  }

  /** {share: of the voice in every bin, undecided in per cent, sides: the voice, sdr in dB}. */
  run(rounds, way) {
    const key = rounds < 2 ? String(rounds) : rounds + way;
    if (this.kept.has(key)) return this.kept.get(key);
    const [voice, rest] = wiener(this.guesses, this.mixture, rounds, way === "posterior");
    const share = new Float32Array(voice[0].re.length);
    const power = ([l, r], i) => l.re[i] ** 2 + l.im[i] ** 2 + r.re[i] ** 2 + r.im[i] ** 2;
    let weights = 0, doubts = 0;
    for (let i = 0; i < share.length; i++) {
      const a = power(voice, i), b = power(rest, i), weight = power(this.mixture, i), m = a / (a + b + 1e-20);
      share[i] = m;
      weights += weight;
      doubts += weight * 4 * m * (1 - m);
    }
    const truth = this.sounds.voice;
    const sides = voice.map((spectrum) => this.spectra.inverse({frames: this.frames, ...spectrum}, truth[0].length));
    let signal = 0, noise = 0;
    sides.forEach((side, c) => side.forEach((x, n) => {
      const s = truth[Math.min(c, truth.length - 1)][n];
      signal += s * s;
      noise += (s - x) ** 2;
    }));
    this.kept.set(key, {share, undecided: (100 * doubts) / weights, sides, sdr: decibels(signal, noise)});
    return this.kept.get(key);
  }
}

/** A plane of left and right, as wide as high. */
function plane(reach, alt) {
  const axis = (label) => ({low: -reach, high: reach, label, ticks: [-reach, 0, reach].map((x) => Math.trunc(x))});
  const plot = new Plot({x: axis("left"), y: axis("right"), height: 330, alt});
  Object.assign(plot, {width: 340, left: 44, right: 8, bottom: 40, top: 4});
  plot.element.setAttribute("viewBox", "0 0 340 330");
  return plot;
}

const TURN = Array.from({length: 73}, (_, i) => [Math.cos((i * Math.PI) / 36), Math.sin((i * Math.PI) / 36)]);

function ellipse(pan, width, level) {
  const angle = (pan * Math.PI) / 180, l = Math.cos(angle), r = Math.sin(angle), size = 10 ** (level / 20);
  const long = size * Math.sqrt(2 - width), short = size * Math.sqrt(width);
  return {points: TURN.map(([x, y]) => [long * x * l - short * y * r, long * x * r + short * y * l]), tip: [long * l, long * r]};
}

export async function render({model, el}) {
  const data = model.get("data"), first = Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const frame = new Frame(el, "wiener_bench", "drag the tip of one ellipse over the other and away again: apart, the filter flattens " +
    "the circle until source 2 is gone, together it can do no more than a mask; then let the song go five rounds.",
    () => STATE.forEach((key) => set(key, first[key])));
  const places = plane(REACH, "the spatial covariances of two sources, as ellipses in the plane of left and right");
  const effect = plane(1.4, "a unit circle, and what the filter of source 1 makes of it");
  const sdr = reading("dB source 1 over its error, filtered"), mask = reading("dB with a mask");
  const matrix = h("div", {class: "note", style: "font-variant-numeric: tabular-nums; min-height: 3.9rem"});
  const rows = [1, 2].map((i) => h("div", {style: `--c: ${COLOURS[i - 1]}`},
    slider(model, `pan_${i}`, {label: `${i}: place`, min: 0, max: 90, step: 1, shown: (v) => `${v}°`}),
    slider(model, `width_${i}`, {label: `${i}: width`, min: 0.01, max: 1, step: 0.01, shown: (v) => v.toFixed(2)}),
    slider(model, `level_${i}`, {label: `${i}: level`, min: -12, max: LOUD, step: 0.5, shown: (v) => `${v.toFixed(1)} dB`})));
  const half = (plot) => { plot.element.style.cssText += "; flex: 1 1 18rem; max-width: 23rem"; return plot.element; };
  const canvas = h("canvas", {height: 150, style: "--tall: 9.5rem", role: "img", "aria-label": "the voice's share of every bin of the song: bright is all"});
  const sounder = new Sounder(["voice, filtered", "the voice itself", "song"], data.rate, [canvas]);
  const undecided = reading("% undecided: 0 is all or nothing"), found = reading("dB SDR of the voice");
  frame.add(h("div", {class: "pair"}, half(places), half(effect)), readings(sdr, mask), matrix, h("div", {class: "pair"}, ...rows), sounder.bar.element, sounder.header,
    readings(undecided, found), slider(model, "rounds", {label: "rounds of the filter", min: 0, max: 5, step: 1}),
    choice(model, "way", "rounds", [["reference", "as the reference"], ["posterior", "with the posterior"]]));
  frame.element.onkeydown = (event) => sounder.key(event);
  draggable(places, model, set);
  const song = new Song(await soundsOf(data), data);
  const values = () => Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const run = () => {
    const s = values(), sources = [1, 2].map((i) => [s[`pan_${i}`], s[`width_${i}`], s[`level_${i}`]]);
    const {filter: [[a, b], [c, d]], sdr: filtered, mask: masked} = filterOf(...sources.map((source) => covariance(...source)));
    const shapes = sources.map((source) => ellipse(...source));
    places.draw({lines: shapes.map(({points}, i) => ({points, colour: COLOURS[i], width: 2.5})),
      dots: shapes.map(({tip: [x, y]}, i) => ({x, y, colour: COLOURS[i], size: 8, label: String(i + 1)}))});
    const moved = (x, y) => [a * x + b * y, c * x + d * y];
    const ways = sources.map(([pan]) => [Math.cos((pan * Math.PI) / 180), Math.sin((pan * Math.PI) / 180)]);
    effect.draw({
      lines: [{points: TURN, dash: "4 5", width: 1.5}, {points: TURN.map(([x, y]) => moved(x, y)), colour: COLOURS[0], width: 2.5},
        ...ways.map((way, i) => ({points: [way, moved(...way)], colour: COLOURS[i], dash: "2 3", width: 1.5}))],
      dots: ways.map((way, i) => ({x: moved(...way)[0], y: moved(...way)[1], colour: COLOURS[i], size: 6, label: String(i + 1)})),
    });
    const number = (x) => x.toFixed(2).replace("-", "−"), term = (x) => `${x < 0 ? "−" : "+"} ${Math.abs(x).toFixed(2)}`;
    matrix.replaceChildren("R₁v₁(v₁R₁ + v₂R₂)⁻¹: ", h("br"), `left out = ${number(a)} left ${term(b)} right; `,
      h("span", {style: "white-space: nowrap"}, `right out = ${number(c)} left ${term(d)} right`));
    sdr.set(filtered.toFixed(1));
    mask.set(masked.toFixed(1));
    const heard = song.run(s.rounds, s.way), key = `${s.rounds}${s.way}`;
    if (key !== run.key) {
      run.key = key;
      const shown = heard.share.map((m) => 10 ** ((m - 1) * 3)); // so that the colour is linear in the share
      drawSpectrum(canvas, shown, song.frames, song.bins, {nyquist: data.rate / 2, top: 1, colour: magma});
      const sides = (name) => song.sounds[name];
      sounder.set([heard.sides, sides("voice"), sides("song")]);
    }
    undecided.set(heard.undecided.toFixed(1));
    found.set(heard.sdr.toFixed(1));
    el.reading = [filtered, masked, a, b, c, d, heard.undecided, heard.sdr];
  };
  follow(model, STATE, run);
  run();
  // The rounds that a hand may ask for next, one at a time, so that a drag need not wait.
  const ahead = [2, 3, 4, 5].flatMap((rounds) => [[rounds, "reference"], [rounds, "posterior"]]);
  const next = () => { if (ahead.length) { song.run(...ahead.shift()); setTimeout(next, 50); } };
  setTimeout(next, 200);
}

/** The tips of the ellipses can be dragged: where to, and how far out. */
function draggable(plot, model, set) {
  const {element} = plot;
  let held = 0;
  element.style.cursor = "grab";
  const tip = (i) => ellipse(model.get(`pan_${i}`), model.get(`width_${i}`), model.get(`level_${i}`)).tip;
  const move = (event) => {
    const [x, y] = plot.at(event), within = (low, value, high) => Math.min(high, Math.max(low, value));
    set(`pan_${held}`, within(0, Math.round((Math.atan2(y, x) * 180) / Math.PI), 90));
    const level = 20 * Math.log10(Math.hypot(x, y) / Math.sqrt(2 - model.get(`width_${held}`)) + 1e-9);
    set(`level_${held}`, within(-12, Math.round(2 * level) / 2, LOUD));
  };
  element.onpointerdown = (event) => {
    const [x, y] = plot.at(event), far = [1, 2].map((i) => Math.hypot(tip(i)[0] - x, tip(i)[1] - y));
    if (Math.min(...far) > 0.7) return;
    held = far[0] <= far[1] ? 1 : 2;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    element.onpointermove = move;
    element.onpointerup = element.onpointercancel = () => { element.onpointermove = null; };
  };
  // By touch a finger on a tip drags it; anywhere else it scrolls the page.
  element.addEventListener("touchstart", (event) => { if (element.onpointermove) event.preventDefault(); }, {passive: false});
}
