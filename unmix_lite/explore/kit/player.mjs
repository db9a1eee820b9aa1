// The synchronised player: several versions of a sound on one transport, one of them heard.
//
// On the page stand plain <audio> elements, which is what a reader without JavaScript has; `mount`
// takes their sound and puts the player in their place.

import {colourOf, dress, h, speaker} from "./look.mjs";
import {Lens, Picture} from "./picture.mjs";
import {Sounder} from "./sounder.mjs";
import {bytesOf, decoded} from "./sounds.mjs";
import {Track} from "./transport.mjs";

export class Player extends Sounder {
  /** sounds: [{label, url}], MP3 as data: URLs, at `rate` Hz. */
  constructor(sounds, rate) {
    const canvas = h("canvas", {width: 900, height: 120}), labels = sounds.map(({label}) => label);
    const axes = ["top", "bottom"].map((side) => h("span", {class: "axis", style: `${side}: 6px`}));
    super(labels, rate, [canvas, ...axes], {styles: labels.map(colourOf), loop: true});
    Object.assign(this, {sounds, canvas, axes, pictures: new Map(), onchoose: () => this.show()});
    this.element = dress(h("section", {class: "player", role: "group",
      "aria-label": labels.length > 1 ? `Player: ${labels.length} sounds in step` : `Player: ${labels[0]}`},
      this.header, this.bar.element));
    this.say = speaker(this.element);
    this.element.onkeydown = (event) => this.key(event);
    // The picture is made when the reader comes near, and no sound is decoded before.
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      (globalThis.requestIdleCallback ?? setTimeout)(() => this.show());
    }, {rootMargin: "200px"}).observe(this.element);
  }

  /** The track of a sound, decoded once. */
  track(i) {
    const {sounds: {[i]: sound}, rate} = this;
    sound.track ??= decoded(bytesOf(sound.url.slice(sound.url.indexOf(",") + 1)), rate)
      .then((sides) => new Track(sides, rate));
    return sound.track;
  }

  /** Play or pause; at first all sounds are decoded. */
  async toggle() {
    this.opening ??= Promise.all(this.sounds.map((_, i) => this.track(i))).then((tracks) => {
      this.open(tracks);
      this.transport.loop = this.loop.getAttribute("aria-pressed") === "true";
    }).catch(() => this.say("This browser cannot play the sound."));
    await this.opening;
    await super.toggle();
  }

  /** The chosen sound's spectrogram; all share one scale of colours, so that levels compare. */
  async show() {
    const i = this.chosen, track = await this.track(i).catch(() => null);
    if (!track || i !== this.chosen) return;
    this.lens ??= new Lens(this.rate);
    if (!this.time.textContent) this.time.textContent = `${(track.length / this.rate).toFixed(1)} s`;
    const [top, bottom] = this.axes;
    top.textContent = `${Math.min(16, Math.round(this.rate / 2000))} kHz`;
    bottom.textContent = "50 Hz";
    if (!this.pictures.has(i)) {
      const picture = new Picture(h("canvas"), this.lens, 900, this.top ?? null);
      picture.draw(track);
      this.top ??= picture.top;
      this.pictures.set(i, picture);
    }
    this.canvas.getContext("2d").drawImage(this.pictures.get(i).canvas, 0, 0);
  }
}

/** Put a player in the place of a group of <audio> elements. */
export function mount(group) {
  const figures = [...group.querySelectorAll("figure")];
  if (!figures.length || typeof AudioContext === "undefined") return;
  const sounds = figures.map((figure) => ({
    label: figure.querySelector("figcaption").textContent, url: figure.querySelector("audio").src,
  }));
  group.replaceWith(new Player(sounds, Number(group.dataset.rate)).element);
}

/** All players of a page, once. */
export function mountAll() {
  document.querySelectorAll(".players[data-rate]").forEach(mount);
}
