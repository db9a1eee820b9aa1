// The mixing desk (chapter 1): four stems with their faders, and the minus sign of old karaoke.

import {follow, Frame, reading, readings, soundsOf} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {Mixer} from "./kit/mixer.mjs";
import {Lens, Picture} from "./kit/picture.mjs";
import {Track} from "./kit/transport.mjs";

const SILENT = -100; // dB: below this we call it nothing

/** What a stem's left and right do to the mix, as Web Audio's panner has it: the far side folds over. */
export function paths(gain, pan) {
  const angle = ((pan <= 0 ? pan + 1 : pan) * Math.PI) / 2, near = Math.cos(angle), far = Math.sin(angle);
  // Left to left, right to left, left to right, right to right.
  return (pan <= 0 ? [1, near, 0, far] : [near, 0, far, 1]).map((part) => gain * part);
}

/**
 * Level of what is heard, and what the minus sign takes or would take away, both in dB. sounds: of
 * each stem the two sides. 0 dB is a square wave at full scale.
 */
export function measure(sounds, gains, pans, difference) {
  const {length} = sounds[0][0], left = new Float64Array(length), right = new Float64Array(length);
  sounds.forEach(([l, r], i) => {
    if (!gains[i]) return;
    const [ll, rl, lr, rr] = paths(gains[i], pans[i]);
    for (let n = 0; n < length; n++) {
      left[n] += ll * l[n] + rl * r[n];
      right[n] += lr * l[n] + rr * r[n];
    }
  });
  let whole = 0, apart = 0;
  for (let n = 0; n < length; n++) {
    whole += left[n] * left[n] + right[n] * right[n];
    // A sound on one side only loses nothing, one in the middle all.
    apart += (left[n] - right[n]) * (left[n] - right[n]);
  }
  const [sum, minus] = [whole, apart].map((power) => 10 * Math.log10(power / (2 * length) + 1e-20));
  return [difference ? minus : sum, sum - minus];
}

/** The same minus sign for sounds that play: {input: a node before the loudspeakers, set(on)}. */
export function karaoke(context) {
  const input = new GainNode(context, {channelCount: 2, channelCountMode: "explicit"});
  const sides = new ChannelSplitterNode(context, {numberOfOutputs: 2});
  const plain = new GainNode(context), apart = new GainNode(context, {channelCount: 1, channelCountMode: "explicit"});
  input.connect(plain).connect(context.destination);
  input.connect(sides);
  [Math.SQRT1_2, -Math.SQRT1_2].forEach((gain, side) =>
    sides.connect(new GainNode(context, {gain}), side).connect(apart));
  apart.connect(context.destination); // one channel: heard on both sides
  const set = (on, soon = 0.006) => {
    for (const [node, gain] of [[plain, on ? 0 : 1], [apart, on ? 1 : 0]]) {
      if (soon) node.gain.setTargetAtTime(gain, context.currentTime, soon);
      else node.gain.value = gain;
    }
  };
  return {input, set};
}

const STATE = ["gains", "pans", "mutes", "solos", "difference"];

export async function render({model, el}) {
  const data = model.get("data"), {names} = data, first = Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const sounds = await soundsOf(data), stems = names.map((name) => sounds[name]);
  const tracks = stems.map((sides) => new Track(sides, data.rate));
  let taking = true, trick = null;
  const mixer = new Mixer(names, () => { if (!taking) give(); });
  const button = h("button", {type: "button", onclick: () => put("difference", !model.get("difference"))}, "left minus right");
  const frame = new Frame(el, "mixing_desk",
    "press “left minus right”, then solo (S) the vocals, the bass and the other in turn. Who loses most sat in the middle.",
    () => STATE.forEach((key) => put(key, first[key])));
  const found = reading("is what you hear"), lost = reading("lost to the minus sign");
  mixer.more.append(button);
  mixer.element.style.cssText = "border: 0; border-radius: 0; margin: 0; max-width: none; background: none";
  frame.add(mixer.element, readings(found, lost));

  const put = (key, value) => {
    if (JSON.stringify(model.get(key)) === JSON.stringify(value)) return;
    model.set(key, value);
    model.save_changes();
  };
  // The strips' state is the model's, by the names of the stems; what is at rest is left out.
  const give = () => {
    const named = (what) => Object.fromEntries(names.flatMap((name, i) => mixer.strips[i][what] ? [[name, mixer.strips[i][what]]] : []));
    put("gains", named("db"));
    put("pans", named("pan"));
    put("mutes", Object.keys(named("mute")));
    put("solos", Object.keys(named("solo")));
  };
  const take = () => {
    const [gains, pans, mutes, solos, difference] = STATE.map((key) => model.get(key));
    taking = true;
    names.forEach((name, i) => mixer.set(i,
      {db: gains[name] ?? 0, pan: pans[name] ?? 0, mute: mutes.includes(name), solo: solos.includes(name)}));
    taking = false;
    button.setAttribute("aria-pressed", difference);
    trick?.set(difference);
    el.reading = measure(stems, mixer.gains, mixer.pans, difference);
    const [heard, gone] = el.reading, whole = difference ? heard + gone : heard;
    const shown = (x) => `${x.toFixed(1).replace("-", "−")} dB`;
    found.set(heard > SILENT ? shown(heard) : "silence");
    lost.set(whole <= SILENT ? "–" : whole - gone > SILENT ? shown(gone) : "all");
  };

  mixer.open(tracks);
  mixer.transport.outlet = (context) => {
    trick = karaoke(context);
    trick.set(model.get("difference"), 0);
    return trick.input;
  };
  follow(model, STATE, take);
  take();
  paint(mixer, tracks, data.rate);
}

/** The stems' spectrograms, one after the other so that the page stays quick, on one scale. */
function paint(mixer, tracks, rate) {
  const lens = new Lens(rate), pictures = [];
  const next = () => {
    const i = pictures.length, picture = new Picture(mixer.canvases[i], lens, 450);
    picture.draw(tracks[i]);
    pictures.push(picture);
    if (pictures.length < tracks.length) return setTimeout(next);
    const top = Math.max(...pictures.map((one) => one.top));
    for (const one of pictures) {
      one.top = top;
      one.paint(0, one.columns);
    }
  };
  next();
}
