// One strip of a mixer: a fader, mute, and where they are wanted pan and solo.

import {colourOf, h} from "./look.mjs";

export const SILENT = -40; // dB: where a fader ends, and lets nothing through

export class Strip {
  /** onchange is called whenever a hand, or `set`, has moved something. */
  constructor(name, onchange, {pan = false, solo = false} = {}) {
    Object.assign(this, {db: 0, pan: 0, mute: false, solo: false, onchange});
    this.fader = h("input", {type: "range", min: SILENT, max: 6, step: 0.5, "aria-label": `${name}, level`,
      oninput: () => this.set({db: Number(this.fader.value)})});
    this.panner = h("input", {class: "pan", type: "range", min: -1, max: 1, step: 0.1, "aria-label": `${name}, pan`,
      title: "pan", oninput: () => this.set({pan: Number(this.panner.value)})});
    const key = (what, letter) => h("button", {class: "key", type: "button", "aria-label": `${what} ${name}`,
      onclick: () => this.set({[what]: !this[what]})}, letter);
    [this.muter, this.soloer] = [key("mute", "M"), key("solo", "S")];
    this.level = h("output");
    const side = (letter) => h("small", {"aria-hidden": "true"}, letter);
    this.element = h("div", {class: "strip", style: colourOf(name) || "--c: var(--soft)"}, h("b", {}, name), this.fader,
      h("span", {}, ...(pan ? [side("L"), this.panner, side("R")] : []), this.muter, ...(solo ? [this.soloer] : []), this.level));
    this.show();
  }

  /** What the fader multiplies by, if nothing mutes it. */
  get factor() { return this.db > SILENT ? 10 ** (this.db / 20) : 0; }

  /** Change {db, pan, mute, solo}, or some of them. */
  set(change) {
    Object.assign(this, change);
    this.show();
    this.onchange();
  }

  show() {
    const level = this.db > SILENT ? `${this.db.toFixed(1)} dB` : "off";
    const side = `${Math.round(100 * Math.abs(this.pan))} % ${this.pan < 0 ? "left" : "right"}`;
    this.fader.value = this.db;
    this.panner.value = this.pan;
    this.muter.setAttribute("aria-pressed", this.mute);
    this.soloer.setAttribute("aria-pressed", this.solo);
    this.level.textContent = level;
    this.fader.setAttribute("aria-valuetext", level);
    this.panner.setAttribute("aria-valuetext", this.pan ? side : "centre");
  }
}
