// A picture that is the place in the sound: click to go there, drag to loop a part, arrows by keys.

import {h} from "./look.mjs";

const shown = (seconds) => seconds < 60 ? seconds.toFixed(1)
  : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** How a transport shows its time: "3.2 / 7.0 s". */
export function timeText(transport) {
  const all = transport.length / transport.rate;
  return `${shown(transport.seconds)} / ${shown(all)}${all < 60 ? " s" : ""}`;
}

export class SeekBar {
  /** canvases: one picture, or several above each other, that share the time. */
  constructor(canvases, label = "place in the sound") {
    this.head = h("div", {class: "head"});
    this.mark = h("div", {class: "region", hidden: true});
    this.element = h("div", {
      class: "picture", role: "slider", tabindex: 0, "aria-label": label, "aria-valuemin": 0,
    }, ...canvases, this.mark, this.head);
    this.element.onpointerdown = (event) => this.press(event);
    this.element.onkeydown = (event) => this.key(event);
  }

  /** The transport that it follows; another one may come. */
  attach(transport, time = null) {
    Object.assign(this, {transport, time});
    this.element.setAttribute("aria-valuemax", (transport.length / transport.rate).toFixed(1));
    this.update();
  }

  update() {
    const {transport, head, mark, element} = this;
    head.style.left = `${(100 * transport.now) / transport.length}%`;
    if (this.time) this.time.textContent = timeText(transport);
    element.setAttribute("aria-valuenow", transport.seconds.toFixed(1));
    element.setAttribute("aria-valuetext", timeText(transport));
    mark.hidden = !transport.region;
    if (transport.region) {
      const [first, last] = transport.region.map((x) => (100 * x) / transport.length);
      Object.assign(mark.style, {left: `${first}%`, width: `${last - first}%`});
    }
    cancelAnimationFrame(this.frame);
    if (transport.playing) this.frame = requestAnimationFrame(() => this.update());
  }

  at(event) {
    const {left, width} = this.element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width)) * this.transport.length;
  }

  press(event) {
    if (!this.transport || event.button) return;
    const start = this.at(event), x = event.clientX;
    let region = null;
    // By touch a drag sideways loops, too; one up or down scrolls the page.
    this.element.setPointerCapture(event.pointerId);
    this.element.onpointermove = (move) => {
      if (!region && Math.abs(move.clientX - x) < 6) return;
      region = [start, this.at(move)].sort((a, b) => a - b);
      const [first, last] = region.map((s) => (100 * s) / this.transport.length);
      this.mark.hidden = false;
      Object.assign(this.mark.style, {left: `${first}%`, width: `${last - first}%`});
    };
    const done = () => { this.element.onpointermove = this.element.onpointerup = this.element.onpointercancel = null; };
    this.element.onpointercancel = () => { done(); this.update(); };
    this.element.onpointerup = () => {
      done();
      const {transport} = this;
      if (region && region[1] - region[0] > 0.05 * transport.rate) {
        transport.setRegion(region);
        transport.seek(region[0]);
      } else {
        if (transport.region && (start < transport.region[0] || start >= transport.region[1])) transport.setRegion(null);
        transport.seek(start);
      }
    };
  }

  key(event) {
    const {transport} = this, step = {ArrowLeft: -1, ArrowRight: 1, PageUp: 10, PageDown: -10}[event.key];
    if (!transport || event.altKey || event.ctrlKey || event.metaKey) return;
    if (step) transport.seek(transport.now + step * (event.shiftKey ? 0.1 : 1) * transport.rate);
    else if (event.key === "Home") transport.seek(0);
    else if (event.key === "End") transport.seek(transport.length - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

const PLAY = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 2l10 6-10 6z"/></svg>';
const PAUSE = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h4v12H3zM9 2h4v12H9z"/></svg>';

/** The round button; `update` follows a transport. */
export function playButton(onclick) {
  const button = h("button", {class: "play", type: "button", onclick});
  button.update = (playing) => {
    button.innerHTML = playing ? PAUSE : PLAY;
    button.setAttribute("aria-label", playing ? "Pause" : "Play");
  };
  button.update(false);
  return button;
}
