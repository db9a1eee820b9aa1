// A mixer: one strip per stem, with fader, pan, mute and solo, and all of them in step.

import {dress, h, speaker} from "./look.mjs";
import {playButton, SeekBar} from "./seekbar.mjs";
import {SILENT, Strip} from "./strip.mjs";
import {mixed, Transport} from "./transport.mjs";

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
    this.strips = names.map((name) => new Strip(name, () => this.apply(), {pan: true, solo: true}));
    this.strips.forEach((strip, i) => { strip.element.onpointerdown = () => this.choose(i); });
    this.element = dress(h("section", {class: "mixer", role: "group", "aria-label": "Mixer"},
      h("header", {}, this.play, this.more, h("span", {class: "ends"}, this.loop, this.time)),
      this.bar.element, ...this.strips.map((strip) => strip.element)));
    this.say = speaker(this.element);
    this.element.onkeydown = (event) => this.key(event);
    this.apply();
  }

  /** All faders at 0 dB, in the middle, nothing muted. */
  reset() {
    this.names.forEach((_, i) => this.set(i, {db: 0, pan: 0, mute: false, solo: false}));
  }

  /** Change what a strip is set to: {db, pan, mute, solo}, or some of them. */
  set(i, change) { this.strips[i].set(change); }

  /** What each stem is multiplied by. */
  get gains() {
    const solo = this.strips.some((strip) => strip.solo);
    return this.strips.map((strip) => (solo ? strip.solo : !strip.mute) ? strip.factor : 0);
  }

  get pans() { return this.strips.map((strip) => strip.pan); }

  apply() {
    const {gains, pans, transport} = this;
    this.strips.forEach((strip, i) => {
      strip.element.classList.toggle("off", gains[i] === 0);
      this.canvases[i].style.opacity = gains[i] === 0 ? 0.35 : 1;
      transport?.setGain(i, gains[i]);
      transport?.setPan(i, pans[i]);
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
