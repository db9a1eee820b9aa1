// What all controls are made of: a frame with its one sentence, sliders, choices, large numbers, and
// the sounds and arrays that Python put into `data`.

import {dress, h, speaker} from "./look.mjs";
import {Radios} from "./radios.mjs";
import {bytesOf, decoded} from "./sounds.mjs";

/** An array of Python's `array`: {shape, values}. */
export function arrayOf({shape, float32}) {
  return {shape, values: new Float32Array(bytesOf(float32))};
}

/**
 * The sounds of Python's `carried`, decoded: label -> one Float32Array per channel. A sound may also
 * be an `array` (channels, samples), which no decoder changes.
 */
export async function soundsOf({sounds, rate, samples}) {
  const decode = async (text) => {
    if (text.float32) {
      const {shape: [channels], values} = arrayOf(text);
      return Array.from({length: channels}, (_, c) => values.slice(c * samples, (c + 1) * samples));
    }
    return (await decoded(bytesOf(text), rate)).map((side) => {
      const out = new Float32Array(samples);
      out.set(side.subarray(0, samples));
      return out;
    });
  };
  const entries = Object.entries(sounds).map(async ([label, text]) => [label, await decode(text)]);
  return Object.fromEntries(await Promise.all(entries));
}

/** The frame of a control: `body` takes its parts; `attempt` is the sentence that says what to try. */
export class Frame {
  constructor(el, name, attempt, onreset) {
    this.body = h("div");
    this.buttons = h("header", {}, h("button", {type: "button", onclick: onreset}, "reset"));
    this.element = dress(h("section", {class: `control ${name}`, role: "group", "aria-label": name.replaceAll("_", " ")},
      this.body, this.buttons, h("footer", {}, h("b", {}, "Try: "), attempt)));
    this.say = speaker(this.element);
    el.replaceChildren(this.element);
  }

  add(...parts) { this.body.append(...parts); return this; }
}

let labels = 0;

/**
 * A slider that moves `model`'s state `key`. shown(value): its words. Steps, ends and keyboard are
 * the browser's own.
 */
export function slider(model, key, {label, min, max, step, shown = String, colour = ""}) {
  const id = `unmix-${key}-${++labels}`;
  const input = h("input", {type: "range", id, min, max, step, style: colour});
  const output = h("output", {for: id});
  const update = () => {
    input.value = model.get(key);
    output.textContent = shown(model.get(key));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.oninput = () => { model.set(key, Number(input.value)); model.save_changes(); };
  model.on(`change:${key}`, update);
  update();
  return h("div", {class: "row"}, h("label", {for: id}, label), input, output);
}

/** Some words to choose one of; options: [value, words]. */
export function choice(model, key, label, options) {
  const radios = new Radios(label, options.map(([, words]) => words), (i) => {
    model.set(key, options[i][0]);
    model.save_changes();
  });
  const update = () => radios.mark(options.findIndex(([value]) => value === model.get(key)));
  model.on(`change:${key}`, update);
  update();
  return h("header", {}, h("span", {}, label), radios.element);
}

/** A number in large figures: {element, set(text)}. */
export function reading(words) {
  const strong = h("strong", {}, "–");
  const element = h("span", {}, strong, " ", h("small", {}, words));
  return {element, set: (number) => {
    const text = String(number).replace("-", "−");
    if (strong.textContent !== text) strong.textContent = text;
  }};
}

/** A reading whose number takes the same room whatever it is, so that what is beside it stays. */
export function steadyReading(words, letters = 3.4) {
  const one = reading(words);
  one.element.firstChild.style.cssText = `display: inline-block; min-width: ${letters}ch`;
  return one;
}

/** Readings side by side. */
export function readings(...all) { return h("div", {class: "read"}, ...all.map(({element}) => element)); }

/** A model for a page without a kernel: what the cell stored, and who wants to know of changes. */
export class PageModel {
  constructor(state) {
    this.state = state;
    this.listeners = new Map();
  }

  get(key) { return this.state[key]; }

  set(key, value) {
    if (this.state[key] === value) return;
    this.state[key] = value;
    for (const listener of this.listeners.get(`change:${key}`) ?? []) listener();
  }

  save_changes() {} // there is nobody to tell

  on(name, listener) { this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]); }
}

/** Call `run` soon after any of the keys has changed, once for many changes. */
export function follow(model, keys, run) {
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; run(); });
  };
  for (const key of keys) model.on(`change:${key}`, soon);
}

/** Give a page's controls of this name life, when the reader comes near. */
export function mountAll(name, render) {
  for (const el of document.querySelectorAll(`[data-explorable="${name}"]`)) {
    const stored = el.querySelector('script[type="application/json"]');
    if (!stored || el.dataset.live) continue;
    el.dataset.live = "yes";
    const model = new PageModel(JSON.parse(stored.textContent));
    el.model = model; // for whoever writes to the console, and for tests
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      Promise.resolve(render({model, el})).then(() => { el.dataset.live = "ready"; });
    }, {rootMargin: "600px"}).observe(el);
  }
}
