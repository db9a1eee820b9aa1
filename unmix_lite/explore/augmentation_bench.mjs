// The augmentation bench (chapter 5): stems changed before they are mixed, and what the network is fed.

import {choice, follow, Frame, readings, soundsOf, steadyReading} from "./kit/control.mjs";
import {colourOf, h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {drawSpectrum, magnitudes, Spectra} from "./kit/spectra.mjs";

const SWITCHES = [["remix", "remix"], ["gain", "gain"], ["channelswap", "channel swap"]];
const HANDS = ["songs", "gains", "swaps"];
const STATE = ["draw", "target", ...SWITCHES.map(([key]) => key), ...HANDS];

/** What happens to each source: the draw's numbers where its switch is on, and those set by hand. */
export function changes(table, state) {
  const row = table[state.draw % table.length];
  const drawn = (on, values, plain) => (on ? values : values.map(() => plain));
  const of = (hand, values) => values.map((value, i) => hand[i] ?? value);
  return {
    songs: of(state.songs, drawn(state.remix, row.songs, 0)),
    gains: of(state.gains, drawn(state.gain, row.gains, 1)),
    swaps: of(state.swaps, drawn(state.channelswap, row.swaps, 0)),
  };
}

/** Sounds (of a song each: one per source, two channels) as they are mixed: {mixture, target}, two channels each. */
export function mixed(songs, names, target, {songs: from, gains, swaps}) {
  const both = () => [0, 1].map(() => new Float32Array(songs[0][names[0]][0].length));
  const mixture = both(), aim = both();
  names.forEach((name, i) => {
    for (const side of [0, 1]) {
      const sound = songs[from[i]][name][swaps[i] ? 1 - side : side], gain = gains[i];
      for (let n = 0; n < sound.length; n++) {
        mixture[side][n] += gain * sound[n];
        if (name === target) aim[side][n] += gain * sound[n];
      }
    }
  });
  return {mixture, target: aim};
}

const power = (sides) => sides.reduce((sum, side) => sum + side.reduce((a, x) => a + x * x, 0), 0) / (sides.length * sides[0].length) + 1e-9;

/** In dB: the target over the rest of the mixture; the mixture's left over its right. */
export function levels({mixture, target}) {
  const rest = mixture.map((side, c) => side.map((x, n) => x - target[c][n]));
  return [[target, rest], [[mixture[0]], [mixture[1]]]].map(([a, b]) => 10 * Math.log10(power(a) / power(b)));
}

export async function render({model, el}) {
  const data = model.get("data"), first = Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const {names, table, titles} = data, sounds = await soundsOf(data);
  const songs = titles.map((_, s) => Object.fromEntries(names.map((name) => [name, sounds[`${name} ${s}`]])));
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const state = () => Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const byHand = (key, i, value) => set(key, model.get(key).map((old, j) => (j === i ? value : old)));
  const forget = (keys) => keys.forEach((key) => set(key, names.map(() => null)));
  const frame = new Frame(el, "augmentation_bench",
    "switch the gain on and draw a few times. How far does the level of the target move, and in which draws would you still call it the lead?",
    () => STATE.forEach((key) => set(key, first[key])));
  const pictures = ["input, left", "input, right", "target, left", "target, right"].map((words) => {
    const canvas = h("canvas", {height: 80, style: "--tall: 4.6rem", role: "img", "aria-label": `spectrogram of the ${words}`});
    return {canvas, words};
  });
  const sounder = new Sounder(["input: the mixture", "target"], data.rate, pictures.map(({canvas}) => canvas));
  pictures.forEach(({words}, i) => sounder.bar.element.append(
    h("span", {class: "axis", "aria-hidden": "true", style: `top: ${4.6 * i + 0.4}rem`}, words)));
  const over = steadyReading("dB target over the rest", 4.2), balance = steadyReading("dB left over right", 4.2);
  const switches = SWITCHES.map(([key, words], i) => h("button", {type: "button", onclick: () => {
    set(key, !model.get(key));
    forget([HANDS[i]]);
  }}, words));
  const again = h("button", {type: "button", onclick: () => {
    set("draw", (model.get("draw") + 1) % table.length);
    forget(HANDS);
  }}, "draw again");
  const strips = names.map((name, i) => {
    const input = h("input", {type: "range", min: 0, max: 1.25, step: 0.01, "aria-label": `gain of the ${name}`,
      oninput: () => byHand("gains", i, Number(input.value))});
    const output = h("output", {});
    const song = h("button", {type: "button", onclick: () => byHand("songs", i, (changes(table, state()).songs[i] + 1) % songs.length)});
    const swap = h("button", {type: "button", onclick: () => byHand("swaps", i, changes(table, state()).swaps[i] ? 0 : 1)}, "swap");
    const update = ({songs: from, gains, swaps}) => {
      if (Math.abs(Number(input.value) - gains[i]) > 0.005) input.value = gains[i];
      output.textContent = `× ${gains[i].toFixed(2)}`;
      song.textContent = `song ${from[i] + 1}`;
      song.title = titles[from[i]];
      song.setAttribute("aria-label", `${name} of song ${from[i] + 1}, ${titles[from[i]]}; take another`);
      swap.setAttribute("aria-pressed", Boolean(swaps[i]));
      swap.setAttribute("aria-label", `left and right of the ${name} exchanged`);
    };
    const element = h("div", {class: "strip", style: colourOf(name)}, h("b", {}, name), input, h("span", {}, output, song, swap));
    return {element, update};
  });
  frame.add(sounder.bar.element, sounder.header, readings(over, balance),
    h("header", {}, h("span", {}, "change"), h("div", {class: "chips", role: "group", "aria-label": "changes"}, ...switches), again),
    ...strips.map(({element}) => element),
    choice(model, "target", "target", names.map((name) => [name, name])));
  frame.element.onkeydown = (event) => sounder.key(event);
  const spectra = new Spectra(data.nFft, data.hop);
  let top = 0;
  const run = () => {
    const now = changes(table, state()), fed = mixed(songs, names, model.get("target"), now);
    const found = [...fed.mixture, ...fed.target].map((side) => spectra.analyse(side));
    const sizes = found.map(magnitudes);
    // One scale for all that comes, so that what is softer is darker.
    top ||= Math.max(...sizes.slice(0, 2).map((y) => y.reduce((a, x) => Math.max(a, x), 0))) / 3;
    pictures.forEach(({canvas}, i) => drawSpectrum(canvas, sizes[i], found[i].frames, found[i].bins,
      {nyquist: data.rate / 2, top, colour: magma}));
    strips.forEach(({update}) => update(now));
    switches.forEach((button, i) => button.setAttribute("aria-pressed", Boolean(model.get(SWITCHES[i][0]))));
    again.disabled = !SWITCHES.some(([key]) => model.get(key));
    const reads = levels(fed);
    over.set(reads[0].toFixed(1).replace("-", "−"));
    balance.set(reads[1].toFixed(1).replace("-", "−"));
    el.reading = reads;
    sounder.set([fed.mixture, fed.target]);
  };
  follow(model, STATE, run);
  run();
}
