// Sounds to hear in step, of which one is let through: chosen by click, by the arrows, by 1, 2, ...

import {h} from "./look.mjs";
import {Radios} from "./radios.mjs";
import {playButton, SeekBar} from "./seekbar.mjs";
import {Track, Transport} from "./transport.mjs";

export class Sounder {
  /**
   * canvases: pictures that are the place in the sound; none is fine. styles: of the buttons. loop: a
   * button for it. The samples come with `set`, and may change while they play.
   */
  constructor(names, rate, canvases = [], {styles = [], loop = false} = {}) {
    Object.assign(this, {names, rate, chosen: 0, transport: null});
    this.play = playButton(() => this.toggle());
    this.time = h("span", {class: "time"});
    this.loop = h("button", {type: "button", "aria-pressed": "true", hidden: !loop, onclick: () => this.setLoop()}, "loop");
    this.radios = new Radios("which is heard", names, (i) => this.choose(i), {styles, numbered: true});
    this.chips = this.radios.buttons;
    this.header = h("header", {}, this.play,
      names.length > 1 ? this.radios.element : h("span", {class: "chips"}, ...names),
      h("span", {class: "ends"}, this.loop, this.time));
    this.bar = canvases.length ? new SeekBar(canvases) : null;
    this.onchoose = () => {};
    this.radios.mark(0);
  }

  /** The samples of the sounds: for each name one Float32Array per channel, all of one length. */
  set(sounds) { this.open(sounds.map((sides) => new Track(sides, this.rate))); }

  open(tracks) {
    if (this.transport) return this.transport.replace(tracks);
    this.transport = new Transport(tracks);
    this.transport.onchange = () => {
      this.play.update(this.transport.playing);
      this.bar?.update();
    };
    this.bar?.attach(this.transport, this.time);
    this.let();
  }

  toggle() { return this.transport?.toggle(); }

  /** Let the chosen sound through. */
  let() { this.names.forEach((_, i) => this.transport?.setGain(i, i === this.chosen ? 1 : 0)); }

  choose(i) {
    this.chosen = i;
    this.radios.mark(i);
    this.let();
    this.onchoose(i);
  }

  setLoop() {
    const loop = this.loop.getAttribute("aria-pressed") !== "true";
    this.loop.setAttribute("aria-pressed", loop);
    this.transport?.setLoop(loop);
  }

  /** Keys of who has this: for its element's onkeydown. */
  key(event) {
    const {target, key} = event, number = Number(key) - 1;
    if (event.altKey || event.ctrlKey || event.metaKey || target.tagName === "INPUT") return;
    // On a button a space is its own click, but that which is heard is chosen already.
    const free = target.tagName !== "BUTTON" || this.chips.includes(target);
    if (key === " " && free) this.toggle();
    else if (number >= 0 && number < this.names.length) this.choose(number);
    else if (key === "l" && !this.loop.hidden) this.setLoop();
    else return;
    event.preventDefault();
  }
}
