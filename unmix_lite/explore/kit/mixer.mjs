// A mixer: one strip per stem, with fader, pan, mute and solo, and all of them in step.

import {colourOf, dress, h, speaker} from "./look.mjs";
import {playButton, SeekBar} from "./seekbar.mjs";
import {mixed, Transport} from "./transport.mjs";

const SILENT = -40; // dB: where a fader ends, and lets nothing through

export class Mixer {
  /** names: of the stems; each gets a canvas, `this.canvases`, for whoever draws. */
  constructor(names, onstate = () => {}) {
    Object.assign(this, {names, onstate, transport: null, chosen: 0});
    this.play = playButton(() => this.transport?.toggle());
    this.time = h("span", {class: "time"});
    this.loop = h("button", {type: "button", "aria-pressed": "true", onclick: () => this.setLoop()}, "loop");
    this.more = h("span", {class: "chips"});
    this.canvases = names.map((name) => h("canvas", {
      width: 900, height: 120, role: "img", "aria-label": `spectrogram of the ${name}`,
    }));
    this.bar = new SeekBar(this.canvases.map((canvas, i) => h("div", {style: "position: relative; --tall: 4.5rem"},
      canvas, h("span", {class: "axis", style: "top: 5px"}, names[i]))), "place in the song");
    this.strips = names.map((name, i) => this.strip(name, i));
    this.element = dress(h("section", {class: "mixer", role: "group", "aria-label": "Mixer"},
      h("header", {}, this.play, this.more, h("span", {class: "ends"}, this.loop, this.time)),
      this.bar.element, ...this.strips.map((strip) => strip.element)));
    this.say = speaker(this.element);
    this.element.onkeydown = (event) => this.key(event);
    this.reset();
  }

  strip(name, i) {
    const fader = h("input", {type: "range", min: SILENT, max: 6, step: 0.5, "aria-label": `${name}, level`});
    const pan = h("input", {class: "pan", type: "range", min: -1, max: 1, step: 0.1, "aria-label": `${name}, pan`,
      title: "pan"});
    const mute = h("button", {class: "key", type: "button", "aria-label": `mute ${name}`}, "M");
    const solo = h("button", {class: "key", type: "button", "aria-label": `solo ${name}`}, "S");
    const level = h("output");
    const element = h("div", {class: "strip", style: colourOf(name), onpointerdown: () => this.choose(i)},
      h("b", {}, name), fader,
      h("span", {}, h("small", {"aria-hidden": "true"}, "L"), pan, h("small", {"aria-hidden": "true"}, "R"), mute, solo, level));
    fader.oninput = () => this.set(i, {db: Number(fader.value)});
    pan.oninput = () => this.set(i, {pan: Number(pan.value)});
    mute.onclick = () => this.set(i, {mute: !this.strips[i].mute});
    solo.onclick = () => this.set(i, {solo: !this.strips[i].solo});
    return {element, fader, panner: pan, muter: mute, soloer: solo, level};
  }

  /** All faders at 0 dB, in the middle, nothing muted. */
  reset() {
    this.names.forEach((_, i) => this.set(i, {db: 0, pan: 0, mute: false, solo: false}));
  }

  /** Change what a strip is set to: {db, pan, mute, solo}, or some of them. */
  set(i, change) {
    const strip = Object.assign(this.strips[i], change);
    strip.fader.value = strip.db;
    strip.panner.value = strip.pan;
    strip.muter.setAttribute("aria-pressed", Boolean(strip.mute));
    strip.soloer.setAttribute("aria-pressed", Boolean(strip.solo));
    const level = strip.db > SILENT ? `${strip.db.toFixed(1)} dB` : "off";
    const side = `${Math.round(100 * Math.abs(strip.pan))} % ${strip.pan < 0 ? "left" : "right"}`;
    strip.level.textContent = level;
    strip.fader.setAttribute("aria-valuetext", level);
    strip.panner.setAttribute("aria-valuetext", strip.pan ? side : "centre");
    this.apply();
  }

  /** What each stem is multiplied by. */
  get gains() {
    const solo = this.strips.some((strip) => strip.solo);
    return this.strips.map(({db, mute, solo: own}) =>
      (solo ? own : !mute) && db > SILENT ? 10 ** (db / 20) : 0);
  }

  get pans() { return this.strips.map((strip) => strip.pan); }

  apply() {
    const {gains, pans, transport} = this;
    this.strips.forEach((strip, i) => {
      strip.element.classList.toggle("off", gains[i] === 0);
      this.canvases[i].style.opacity = gains[i] === 0 ? 0.35 : 1;
      transport?.setGain(i, gains[i]);
      transport?.setPan(i, pans[i] ?? 0);
    });
    this.onstate(this);
  }

  choose(i) {
    this.chosen = i;
    this.strips.forEach((strip, j) => strip.element.classList.toggle("chosen", j === i));
  }

  /** The stems to play, a `Track` each. */
  open(tracks) {
    this.close();
    this.transport = new Transport(tracks);
    this.transport.loop = this.loop.getAttribute("aria-pressed") === "true";
    this.transport.onchange = () => { this.play.update(this.transport.playing); this.bar.update(); };
    this.bar.attach(this.transport, this.time);
    this.apply();
  }

  close() {
    this.transport?.close();
    this.transport = null;
  }

  /** The mix as it is set: a function (first sample, length) -> [left, right]. */
  mix() {
    const {gains, pans, transport: {tracks}} = this;
    return (start, length) => mixed(tracks, gains, pans, start, length);
  }

  setLoop() {
    const loop = this.loop.getAttribute("aria-pressed") !== "true";
    this.loop.setAttribute("aria-pressed", loop);
    this.transport?.setLoop(loop);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const {target, key} = event, number = Number(key) - 1, strip = this.strips[this.chosen];
    const onFader = target.tagName === "INPUT", name = this.names[this.chosen];
    const step = {ArrowUp: 1, ArrowDown: -1}[key], seek = {ArrowLeft: -1, ArrowRight: 1}[key];
    if (key === " " && target.tagName !== "BUTTON") this.transport?.toggle();
    else if (number >= 0 && number < this.names.length) {
      this.choose(number);
      this.say(this.names[number]);
    } else if (key === "m" || key === "s") {
      const what = key === "m" ? "mute" : "solo";
      this.set(this.chosen, {[what]: !strip[what]});
      this.say(`${name}: ${what} ${strip[what] ? "on" : "off"}`);
    } else if (key === "l") this.setLoop();
    else if (step && !onFader) {
      this.set(this.chosen, {db: Math.min(6, Math.max(SILENT, strip.db + step))});
      this.say(`${name}: ${strip.level.textContent}`);
    } else if (seek && !onFader) this.transport?.seek(this.transport.now + seek * this.transport.rate);
    else return;
    event.preventDefault();
  }
}
